use std::io;
use std::path::{Path, PathBuf};

use chat::{BadName, Name};

use crate::BadCost;

/// Why a key or an account could not be read, opened or changed. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}; check that it is there, that you may use it, and that the disk has room", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Other users can read the identity key.
    #[error("{} can be read by others (mode {mode:03o}); if it is still yours alone, run: chmod 600 {}", path.display(), path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The identity key is neither a plain nor a sealed key.
    #[error(
        "{} is damaged: it holds neither 64 hexadecimal digits nor a whole sealed key; restore it from a copy, or move it away to become a new person; nothing was changed",
        path.display()
    )]
    KeyDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an exported account, or it is damaged.
    #[error("{} is not an exported account, or it is damaged; use another copy of it", path.display())]
    ExportDamaged {
        /// The file.
        path: PathBuf,
    },
    /// A later version of causerie sealed the key.
    #[error("{} was sealed by a later version of causerie (format {version}); open it with that version", path.display())]
    KeyVersion {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// Opening the file would take more memory or time than any key needs.
    #[error("{} was not opened: {source}; it is damaged or a trap, so use another copy of it", path.display())]
    KeyCost {
        /// The file.
        path: PathBuf,
        /// What is wrong with its cost.
        source: BadCost,
    },
    /// The cost to seal with is out of bounds.
    #[error(transparent)]
    BadCost(#[from] BadCost),
    /// The identity key is gone, but what its peer kept is still there.
    #[error(
        "{} is missing, and the database of its peer is still there: restore the key from a copy, or move {} (with its -wal) away to begin as a new person; nothing was changed",
        path.display(), database.display()
    )]
    KeyLost {
        /// Where the key should be.
        path: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// A file that should be there is a link that leads nowhere.
    #[error(
        "{} is a symbolic link to {}, which is not there: mount or restore what it leads to, or remove the link; nothing was changed",
        path.display(), target.display()
    )]
    LinkLeadsNowhere {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// There is no key in the folder.
    #[error("there is no identity at {}; name an account with --account, or another folder with --data", path.display())]
    NoKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is already a file where a key was to be written.
    #[error("{} is there already and was left as it is; choose another place", path.display())]
    KeyExists {
        /// The file.
        path: PathBuf,
    },
    /// The key has a passphrase already.
    #[error("{} already has a passphrase; change that one instead", path.display())]
    AlreadySealed {
        /// The file.
        path: PathBuf,
    },
    /// The key has no passphrase.
    #[error("{} has no passphrase; set one first", path.display())]
    NotSealed {
        /// The file.
        path: PathBuf,
    },
    /// A new file did not read back as it was written. The old file is untouched.
    #[error("{} did not read back as it was written, so nothing was replaced; check the disk", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase does not open the key.
    #[error(
        "wrong passphrase for {name}; if it is forgotten, what is left is the recovery words, an exported file whose passphrase you know, or a new account under another name"
    )]
    WrongPassphrase {
        /// The account whose key it is.
        name: Name,
    },
    /// A new passphrase is empty.
    #[error("the passphrase is empty; choose one with at least one character")]
    EmptyPassphrase,
    /// A passphrase is too long.
    #[error("the passphrase has more than {limit} bytes; choose a shorter one")]
    LongPassphrase {
        /// The most bytes.
        limit: usize,
    },
    /// There is not enough memory to work with a passphrase.
    #[error(
        "this machine does not have the {mebibytes} MiB of free memory that the passphrase needs; close other programs and try again"
    )]
    Memory {
        /// What is needed.
        mebibytes: u32,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The text is not a name for an account.
    #[error("{:?} is not a name for an account: {}; choose another one", .0.text, .0.reason)]
    BadName(BadName),
    /// The name, or one that looks like it, is in use on this machine.
    #[error(
        "there is an account {name} already, whose name is the same or looks the same, and it was left as it is; choose another name, or \
         delete that account first"
    )]
    NameTaken {
        /// The account that has it.
        name: String,
    },
    /// There is no such account.
    #[error("there is no account {name} in {}; `causerie account list` shows which there are", base.display())]
    NoAccount {
        /// The name.
        name: Name,
        /// The folder of the accounts.
        base: PathBuf,
    },
    /// The key belongs to an account of another name.
    #[error(
        "{} is the key of {found}, not of {expected}; rename the folder to {found}, or restore the key of {expected} from a copy",
        path.display()
    )]
    OtherName {
        /// The key file or the folder that it should go to.
        path: PathBuf,
        /// The account whose key it should be.
        expected: Name,
        /// The account whose key it is.
        found: Name,
    },
    /// The account's folder is a link.
    #[error("{} is a symbolic link; remove what it leads to yourself, and then the link", path.display())]
    LinkedAccount {
        /// The link.
        path: PathBuf,
    },
    /// A running process has the account open.
    #[error("a causerie is running on {}; log out there first", path.display())]
    InUse {
        /// The account's folder.
        path: PathBuf,
    },
    /// The account is gone and its name free, but not all of its files could be removed.
    #[error("the account is deleted, but {} could not be removed: {source}; remove it yourself", path.display())]
    Remains {
        /// What is left.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: the system refused something about `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
