//! A terminal in tmux with the prompt of a peer in it.

use std::ffi::{OsStr, OsString};
use std::ops::Deref;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peer::{Launch, PATIENCE, PROGRAM, Peer};
use crate::service::Service;
use crate::skip::skip;

/// What the prompt of alice, who is the one in the terminal, looks like.
pub(crate) const PROMPT: &str = "alice>";

/// A terminal. Dropping it ends what runs in it.
pub(crate) struct Screen {
    socket: String,
    folder: TempDir,
}

/// Alice as a service with two prompts, and bob, who is driven by the test. Dropping it ends them all.
pub(crate) struct Attached {
    pub(crate) one: Screen,
    pub(crate) other: Screen,
    pub(crate) alice: Service,
    pub(crate) bob: Peer,
    _folder: TempDir,
}

/// Alice in a terminal, and bob, who is driven by the test. Dropping it ends both.
pub(crate) struct Chat {
    pub(crate) bob: Peer,
    screen: Screen,
}

impl Deref for Chat {
    type Target = Screen;

    fn deref(&self) -> &Screen {
        &self.screen
    }
}

/// A peer on this machine alone.
pub(crate) fn launch(folder: &TempDir, name: &str, options: &[&str]) -> Launch {
    Launch::alone(name, folder.path(), options)
}

impl Attached {
    /// Two terminals of that size, in both of which alice has a prompt and knows of bob. `None` if there is no tmux: the
    /// test is to return.
    pub(crate) fn new(columns: usize, rows: usize) -> Option<Self> {
        let (one, other) = (Screen::new()?, Screen::new()?);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bob = launch(&folder, "bob", &[]).start();
        let alice = Service::start(launch(&folder, "alice", &["--peer", &bob.address(|_| true)]));
        alice.logs("bob is here");
        bob.meets("alice");
        for screen in [&one, &other] {
            screen.start(columns, rows, &alice.launch.task_command("attach"));
            screen.until("a prompt, and who is here", |rows| {
                let here = rows.iter().any(|row| row == "here: bob");
                here && rows.iter().any(|row| row.starts_with(PROMPT))
            });
        }
        Some(Self { one, other, alice, bob, _folder: folder })
    }

    /// One more terminal with a prompt of alice's.
    pub(crate) fn open(&self, columns: usize, rows: usize) -> Option<Screen> {
        let screen = Screen::new()?;
        screen.start(columns, rows, &self.alice.launch.task_command("attach"));
        Some(screen)
    }
}

impl Chat {
    /// A terminal of that size in which alice has met bob. `None` if there is no tmux: the test is to return.
    pub(crate) fn new(columns: usize, rows: usize) -> Option<Self> {
        let screen = Screen::new()?;
        let bob = launch(&screen.folder, "bob", &[]).start();
        let address = bob.address(|_| true);
        screen.start(columns, rows, &launch(&screen.folder, "alice", &["--peer", &address]).command());
        bob.meets("alice");
        screen.until("alice has her prompt and has met bob", |rows| {
            let met = rows.iter().any(|row| row.contains("bob is here"));
            met && rows.iter().any(|row| row.starts_with(PROMPT))
        });
        Some(Self { bob, screen })
    }

    /// A terminal of that size with a shell in it, which alice was started from. `None` if there is no tmux: the test is to
    /// return.
    pub(crate) fn in_shell(columns: usize, rows: usize) -> Option<Self> {
        let screen = Screen::shell(columns, rows)?;
        let bob = launch(&screen.folder, "bob", &[]).start();
        let address = bob.address(|_| true);
        let alice = launch(&screen.folder, "alice", &["--peer", &address]).command();
        screen.write(&quoted(&alice));
        screen.press(&["Enter"]);
        bob.meets("alice");
        let chat = Self { bob, screen };
        chat.until_line("");
        Some(chat)
    }

    /// Bob sends these, and alice's screen shows each of them whole, once and in this order, above the line that she is
    /// typing, which is whole, too.
    pub(crate) fn hears_while_typing(&mut self, texts: &[&str], line: &str) {
        for text in texts {
            self.bob.say(text);
            self.until(&format!("{text:?} above {line:?}"), |rows| {
                above(rows).contains(&squeeze(text)) && line_of(rows) == squeeze(line)
            });
        }
        self.shows_once(texts);
    }
}

impl Screen {
    /// A terminal of that size with the program in it. `None` if there is no tmux: the test is to return.
    pub(crate) fn running(columns: usize, rows: usize, arguments: &[&str]) -> Option<Self> {
        let screen = Self::new()?;
        let words: Vec<OsString> = [PROGRAM].iter().chain(arguments).map(OsString::from).collect();
        screen.start(columns, rows, &words);
        Some(screen)
    }

    /// A terminal of that size with a shell in it. `None` if there is no tmux: the test is to return.
    pub(crate) fn shell(columns: usize, rows: usize) -> Option<Self> {
        let screen = Self::new()?;
        screen.start(columns, rows, &["bash", "--norc", "--noprofile"].map(Into::into));
        Some(screen)
    }

    fn new() -> Option<Self> {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        if let Err(error) = Command::new("tmux").arg("-V").output() {
            skip("tmux", &error.to_string());
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let socket = format!("causerie-{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
        Some(Self { socket, folder })
    }

    fn start(&self, columns: usize, rows: usize, command: &[OsString]) {
        let size = [columns.to_string(), rows.to_string()];
        let mut start: Vec<OsString> = ["new-session", "-d", "-x", &size[0], "-y", &size[1]].map(Into::into).into();
        start.extend(command.iter().cloned());
        start.extend([";", "set-option", "remain-on-exit", "on"].map(Into::into));
        self.tmux(&start);
    }

    /// Types text as it stands.
    pub(crate) fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses keys by tmux's names: `Enter`, `Left`, `C-c`.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    pub(crate) fn resize(&self, columns: usize, rows: usize) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        // tmux tells the program a little later.
        let terminal = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        self.until("the new size", |_| {
            let told = Command::new("stty").args(["-F", terminal.trim(), "size"]).output().expect("stty can be run");
            String::from_utf8_lossy(&told.stdout).trim() == format!("{rows} {columns}")
        });
    }

    /// Has the terminal stand still: nothing of what the program writes is taken. Until what this answers is dropped nothing
    /// can be done with the terminal.
    pub(crate) fn stand_still(&self) -> StandsStill {
        let server = self.tmux(&["display-message", "-p", "#{pid}"]).trim().to_owned();
        signal("-STOP", &server);
        StandsStill { server }
    }

    /// What runs in the terminal: its process id.
    pub(crate) fn program(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_pid}"]).trim().to_owned()
    }

    /// What the shell in the terminal has started.
    pub(crate) fn child(&self) -> String {
        let shell = self.program();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.expect("the shell runs").trim().to_owned()
    }

    /// Pastes a text as a user does who has it in the clipboard.
    pub(crate) fn paste(&self, text: &str) {
        self.tmux(&["set-buffer", "--", text]);
        self.tmux(&["paste-buffer", "-p"]);
    }

    /// Scrolls back to read, until [`Self::end_copy_mode`].
    pub(crate) fn copy_mode(&self) {
        self.tmux(&["copy-mode"]);
    }

    pub(crate) fn end_copy_mode(&self) {
        self.tmux(&["send-keys", "-X", "cancel"]);
    }

    /// Takes the terminal away from the program, and answers whether that ends it within `PATIENCE`.
    pub(crate) fn hang_up(&self) -> bool {
        let program = std::path::Path::new("/proc").join(self.program());
        assert!(program.exists(), "the program runs");
        self.tmux(&["kill-server"]);
        let until = Instant::now() + PATIENCE;
        while program.exists() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        !program.exists()
    }

    /// Waits until the program has left; its exit status.
    pub(crate) fn left(&self) -> i32 {
        self.until("the end of the program", |_| {
            // tmux can miss that its child has died (<https://github.com/tmux/tmux/issues/311>): it is told again.
            let server = self.tmux(&["display-message", "-p", "#{pid}"]);
            signal("-CHLD", server.trim());
            !self.status().is_empty()
        });
        self.status().parse().expect("a status is a number")
    }

    /// The exit status of the program as tmux knows it: empty as long as it runs.
    fn status(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_dead_status}"]).trim().to_owned()
    }

    /// The column and the row of the cursor, from 0.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        let told = self.tmux(&["display-message", "-p", "#{cursor_x} #{cursor_y}"]);
        let mut numbers = told.split_whitespace().map(|number| number.parse().expect("tmux tells numbers"));
        let mut next = || numbers.next().expect("tmux tells both");
        (next(), next())
    }

    /// What was ever on the screen and what is, row by row, without blanks at the ends of the rows.
    pub(crate) fn rows(&self) -> Vec<String> {
        let all = self.tmux(&["capture-pane", "-p", "-S", "-"]);
        all.lines().map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits until the screen shows something.
    pub(crate) fn until(&self, what: &str, shows: impl Fn(&[String]) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let rows = self.rows();
            if shows(&rows) {
                return;
            }
            assert!(Instant::now() < until, "not on the screen within {PATIENCE:?}: {what}\n{}", rows.join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the line being typed, which begins with the prompt, is that.
    pub(crate) fn until_line(&self, line: &str) {
        self.until(&format!("the line {line:?}"), |rows| line_of(rows) == squeeze(line));
    }

    /// The screen shows each of these whole, once and in this order, and the prompt in one place only.
    pub(crate) fn shows_once(&self, texts: &[&str]) {
        let rows = self.shows_in_order(texts);
        let prompts = rows.iter().filter(|row| row.contains(PROMPT)).count();
        assert_eq!(prompts, 1, "one prompt in\n{}", rows.join("\n"));
    }

    /// The screen shows each of these whole, once and in this order above the line; all of its rows.
    pub(crate) fn shows_in_order(&self, texts: &[&str]) -> Vec<String> {
        let rows = self.rows();
        let shown = above(&rows);
        let mut rest = shown.as_str();
        for text in texts {
            assert_eq!(shown.matches(&squeeze(text)).count(), 1, "{text:?} once in\n{}", rows.join("\n"));
            let at = rest.find(&squeeze(text)).unwrap_or_else(|| panic!("{text:?} in turn in\n{}", rows.join("\n")));
            rest = &rest[at..];
        }
        rows
    }

    fn tmux(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let output = self.try_tmux(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "tmux: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn try_tmux(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        Command::new("tmux")
            .args(["-u", "-L", &self.socket, "-f", "/dev/null"])
            .args(arguments)
            .env("TMUX_TMPDIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .output()
            .expect("tmux can be run")
    }
}

/// A terminal that stands still as long as this is there.
pub(crate) struct StandsStill {
    server: String,
}

impl Drop for StandsStill {
    fn drop(&mut self) {
        signal("-CONT", &self.server);
    }
}

pub(crate) fn signal(signal: &str, process: &str) {
    let told = Command::new("kill").args([signal, process]).status();
    assert!(told.expect("kill can be run").success());
}

/// Words as a shell reads them back.
pub(crate) fn quoted(words: &[OsString]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    words.join(" ")
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A test that failed because tmux is gone has nothing to end.
        self.try_tmux(&["kill-server"]);
    }
}

/// A text without its blanks: where a row ends is the terminal's affair.
fn squeeze(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// The first row of the line being typed.
fn prompt(rows: &[String]) -> usize {
    rows.iter().rposition(|row| row.starts_with(PROMPT)).unwrap_or(rows.len())
}

/// The line being typed, squeezed, with whatever stands below it.
pub(crate) fn line_of(rows: &[String]) -> String {
    let line = squeeze(&rows[prompt(rows).min(rows.len())..].concat());
    line.strip_prefix(PROMPT).unwrap_or_default().to_owned()
}

/// What stands above the line being typed, squeezed.
fn above(rows: &[String]) -> String {
    squeeze(&rows[..prompt(rows)].concat())
}
