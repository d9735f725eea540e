//! Accounts, driven as a script would: passphrases come from files.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with that in it; how it is named on a command line.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a file can be written");
        path.to_string_lossy().into_owned()
    }

    /// Runs the program; standard input is `input`.
    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_causerie"))
            .args(arguments)
            .env("HOME", self.0.path())
            .env("USER", "login")
            .env_remove("XDG_DATA_HOME")
            .env_remove("CAUSERIE_NAME")
            .env_remove("CAUSERIE_DATA")
            .env_remove("CAUSERIE_ACCOUNT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // It may have ended without reading.
        let _ = child.stdin.take().expect("the input is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("the program ends")
    }

    /// Runs what has to work; what it wrote.
    fn done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs what has to be refused with an exit code; one line that says why.
    fn refused(&self, code: i32, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        told
    }

    fn says_hello_as(&self, arguments: &[&str]) -> String {
        let alone = ["--no-mdns", "--listen", "127.0.0.1:0"];
        self.done(&[&alone, arguments].concat(), "-lu\n")
    }
}

/// The name and fingerprint in a line such as "made alice (WBbobhEq): …".
fn identity(told: &str) -> String {
    let (_, rest) = told.split_once(' ').expect("a word in front");
    rest.split_once(')').expect("a fingerprint").0.to_owned()
}

#[test]
fn an_account_opens_with_its_passphrase_alone() {
    let home = Home::new();
    let (right, wrong) = (home.file("right", "correct horse\n"), home.file("wrong", "battery\n"));
    let made = home.done(&["account", "new", "alice", "--passphrase-file", &right], "");
    let started = home.says_hello_as(&["--account", "alice", "--passphrase-file", &right]);
    assert!(started.contains(&format!("you are {})", identity(&made))), "{made}{started}");
    for refused in [
        home.refused(1, &["--account", "alice", "--passphrase-file", &wrong], ""),
        home.refused(1, &["--account", "alice"], ""),
        home.refused(1, &["run", "--account", "alice", "--passphrase-file", "/nowhere"], ""),
        home.refused(1, &["--account", "bob", "--passphrase-file", &right], ""),
    ] {
        assert!(
            ["wrong passphrase", "--passphrase-file", "/nowhere", "no account bob"]
                .iter()
                .any(|why| refused.contains(why))
        );
    }
    assert_eq!(home.done(&["account", "list"], ""), "alice  sealed\n");
    let taken = home.refused(1, &["account", "new", "ALICE", "--passphrase-file", &right], "");
    assert!(taken.contains("already"), "{taken}");
}

#[test]
fn an_identity_of_today_is_locked_and_stays_the_same() {
    let home = Home::new();
    let (first, second) = (home.file("first", "one"), home.file("second", "two"));
    let before = home.says_hello_as(&[]);
    let key = home.path(".local/share/causerie/identity.key");
    let plain = fs::read_to_string(&key).expect("it has a key");
    home.done(&["account", "lock", "--passphrase-file", &first], "");
    let sealed = fs::read_to_string(&key).expect("it has a key");
    assert!(!sealed.contains(plain.trim()), "the seed is not in the file");
    assert!(home.refused(1, &["account", "lock", "--passphrase-file", &first], "").contains("already"));
    home.done(&["account", "passwd", "--passphrase-file", &first, "--new-passphrase-file", &second], "");
    let after = home.says_hello_as(&["--passphrase-file", &second]);
    let me = |told: &str| told.lines().next().map(str::to_owned);
    assert_eq!(me(&before), me(&after));
    home.refused(1, &["--no-mdns", "--passphrase-file", &first], "");
    home.done(&["account", "unlock", "--passphrase-file", &second], "");
    assert_eq!(fs::read_to_string(&key).expect("it has a key"), plain);
    assert_eq!(me(&home.says_hello_as(&[])), me(&before));
}

#[test]
fn an_account_moves_by_a_file_or_by_words_and_can_be_deleted() {
    let home = Home::new();
    let passphrase = home.file("passphrase", "correct horse");
    let opened = ["--account", "alice", "--passphrase-file", &passphrase];
    let made = home.done(&["account", "new", "alice", "--passphrase-file", &passphrase], "");
    let file = home.path("alice.key").to_string_lossy().into_owned();
    home.done(&["account", "export", &file, "--account", "alice"], "");
    assert!(home.refused(1, &["account", "export", &file, "--account", "alice"], "").contains("already"));
    let words = home.done(&[&["account", "words"], &opened[..]].concat(), "");
    assert_eq!(words.split_whitespace().count(), 24);
    let whose = home.done(&["account", "verify", &file, "--passphrase-file", &passphrase], "");
    assert!(whose.contains(&identity(&made)), "{whose}");

    assert!(home.refused(2, &["account", "delete", "alice"], "bob\n").contains("nothing was deleted"));
    home.done(&["account", "delete", "alice"], "alice\n");
    assert!(home.done(&["account", "list"], "").contains("no account yet"));
    assert!(home.refused(1, &[&["account", "words"], &opened[..]].concat(), "").contains("no account alice"));

    let imported = home.done(&["account", "import", &file, "--passphrase-file", &passphrase], "");
    assert_eq!(identity(&imported), identity(&made));
    home.done(&["account", "delete", "alice", "--yes"], "");
    let restored = home.done(&["account", "new", "alice", "--words", "--passphrase-file", &passphrase], &words);
    assert_eq!(identity(&restored), identity(&made));
    let misspelt = words.replacen(words.split(' ').next().expect("a word"), "causerie", 1);
    let refused = home.refused(1, &["account", "new", "bob", "--words", "--passphrase-file", &passphrase], &misspelt);
    assert!(refused.contains("causerie"), "{refused}");
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    let home = Home::new();
    let passphrase = home.file("passphrase", "correct horse");
    home.done(&["account", "new", "alice", "--passphrase-file", &passphrase], "");
    let key = home.path(".local/share/causerie/accounts/alice/identity.key");
    let text = fs::read_to_string(&key).expect("it has a key");
    fs::write(&key, &text[..text.len() / 2]).expect("it can be damaged");
    let refused = home.refused(1, &["--account", "alice", "--passphrase-file", &passphrase], "");
    assert!(refused.contains("identity.key is damaged"), "{refused}");
    assert_eq!(fs::read_to_string(&key).expect("it is there"), text[..text.len() / 2]);
    let foreign = home.file("foreign", "not a key");
    assert!(
        home.refused(1, &["account", "import", &foreign, "--passphrase-file", &passphrase], "").contains("foreign")
    );
    let empty = home.file("empty", "\n");
    assert!(home.refused(1, &["account", "new", "bob", "--passphrase-file", &empty], "").contains("empty"));
    let long = "n".repeat(500);
    assert!(home.refused(1, &["account", "new", &long, "--passphrase-file", &passphrase], "").contains("name"));
    assert!(!Path::new(&home.path(".local/share/causerie/accounts/bob")).exists());
}
