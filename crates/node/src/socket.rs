//! Sockets in the data folder, through which other processes of the same user reach a running peer.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::Error;
use crate::data::look_at_permissions;

/// The name of the socket on which a peer offers its session.
pub const SESSION: &str = "session.sock";

/// The longest path of a Unix socket, in bytes: what `sun_path` holds on Linux, without the NUL at its end.
const MAX_PATH: usize = 107;

/// A listening socket. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
}

/// The path of the socket of that name in a data folder.
///
/// # Errors
/// [`Error::SocketPath`] if the path is too long for a socket.
pub(crate) fn path_in(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    match path.as_os_str().len() {
        0..=MAX_PATH => Ok(path),
        bytes => Err(Error::SocketPath { path, bytes, limit: MAX_PATH }),
    }
}

impl Socket {
    /// Listens in a data folder that the caller's peer has open, under a name that ends in `.sock`. Only that peer
    /// listens there. So if a socket is there already, a killed peer left it behind, and it is replaced.
    ///
    /// The umask decides the permissions of a new socket. Therefore this one is made in a folder that no other user can
    /// enter, and moved once only its owner can use it.
    ///
    /// # Errors
    /// If other users can write to the folder, its path is too long, or it cannot be written.
    pub fn bind(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = path_in(folder, name)?;
        look_at_permissions(folder)?;
        let listener = bind_privately(&path);
        let listener = listener.map_err(|source| Error::Data { path: path.clone(), source })?;
        Ok(Self { listener, path })
    }

    /// The next connection. Cancel-safe.
    ///
    /// # Errors
    /// What the system says; a later call may succeed.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

fn bind_privately(path: &Path) -> io::Result<UnixListener> {
    // No longer than the final name.
    let cradle = path.with_extension("d");
    let born = cradle.join("s");
    match fs::remove_dir_all(&cradle) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    DirBuilder::new().mode(0o700).create(&cradle)?;
    let listener = UnixListener::bind(&born)?;
    fs::set_permissions(&born, Permissions::from_mode(0o600))?;
    fs::rename(&born, path)?;
    fs::remove_dir(&cradle)?;
    Ok(listener)
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A socket that stays behind is replaced by the next one.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;
    use std::os::unix::net::UnixListener as StdListener;

    use super::*;
    use crate::DataFolder;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn the_socket_is_open_to_its_owner_only_and_goes_with_the_peer() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&parent.path().join("alice")).unwrap();
        let socket = Socket::bind(folder.path(), SESSION).unwrap();
        let path = folder.path().join("session.sock");
        assert!(fs::metadata(&path).unwrap().file_type().is_socket());
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a lock and a socket");
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_a_killed_peer_left_behind_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&parent.path().join("alice")).unwrap();
        let path = folder.path().join("session.sock");
        drop(StdListener::bind(&path).unwrap());
        // Killed while it made its own socket.
        fs::create_dir(folder.path().join("session.d")).unwrap();
        drop(StdListener::bind(folder.path().join("session.d/s")).unwrap());
        let socket = Socket::bind(folder.path(), SESSION).unwrap();
        let (accepted, connected) = tokio::join!(socket.listener.accept(), UnixStream::connect(&path));
        assert!(accepted.is_ok() && connected.is_ok());
        assert_eq!(mode(&path), 0o600);
    }

    #[tokio::test]
    async fn a_folder_that_others_can_write_to_is_refused_unless_it_is_sticky() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&parent.path().join("alice")).unwrap();
        for (mode, fits) in [(0o770, false), (0o702, false), (0o755, true), (0o1777, true), (0o700, true)] {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            let bound = Socket::bind(folder.path(), SESSION);
            assert_eq!(bound.is_ok(), fits, "{mode:o}");
            if let Err(refused) = bound {
                assert!(refused.to_string().contains("chmod go-w"), "{refused}");
            }
        }
    }

    #[tokio::test]
    async fn a_path_may_have_107_bytes_and_no_more() {
        let parent = tempfile::tempdir().unwrap();
        let room = MAX_PATH - parent.path().as_os_str().len() - "/".len() - "/session.sock".len();
        for (length, fits) in [(room, true), (room + 1, false)] {
            let folder = DataFolder::open(&parent.path().join("n".repeat(length))).unwrap();
            let bound = Socket::bind(folder.path(), SESSION);
            assert_eq!(bound.is_ok(), fits, "{bound:?}");
            if let Err(refused) = bound {
                assert!(refused.to_string().contains("107") && refused.to_string().contains("--data"), "{refused}");
            }
        }
    }
}
