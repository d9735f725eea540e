use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Folder, Links};

/// Where a passphrase comes from.
#[derive(Debug, Default, Args)]
pub(crate) struct Passphrase {
    /// Take the passphrase from the first line of FILE, such as /dev/fd/3 (default: ask at the terminal)
    #[arg(long, value_name = "FILE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) passphrase_file: Option<String>,
}

/// What is done to accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountTask {
    /// Make an account: a new identity that a passphrase opens
    New(New),
    /// List the accounts of this user on this machine
    List,
    /// Give a passphrase to an identity that has none
    Lock(Lock),
    /// Change the passphrase
    Passwd(Passwd),
    /// Take the passphrase away: from then on the file alone is enough
    Unlock(Opened),
    /// Write the sealed identity to a new file, to keep it or to use the account on another machine
    Export(Export),
    /// Make an account of an exported file
    Import(Exported),
    /// Say whose an exported file is, and whether its passphrase opens it; nothing is changed
    Verify(Exported),
    /// Show the 24 recovery words, which are as good as the identity itself
    Words(Opened),
    /// Delete an account, for everybody, with what this machine keeps of it; without the passphrase the others are not told
    Delete(Delete),
}

/// An account to be made.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Its name, and the name that others see (default: your login name)
    pub(crate) name: Option<String>,
    /// Ask for the 24 recovery words of an identity that exists, instead of making a new one
    #[arg(long)]
    pub(crate) words: bool,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// An identity without a passphrase.
#[derive(Debug, Args)]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The name that the passphrase is tied to (default: that of the account, or else your login name)
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// An identity that a passphrase opens.
#[derive(Debug, Args)]
pub(crate) struct Opened {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// A passphrase to be changed.
#[derive(Debug, Args)]
pub(crate) struct Passwd {
    #[command(flatten)]
    pub(crate) opened: Opened,
    /// Take the new passphrase from the first line of FILE (default: ask at the terminal)
    #[arg(long, value_name = "FILE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) new_passphrase_file: Option<String>,
}

/// An identity to be written out.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write; it must not be there yet
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// A file that was exported.
#[derive(Debug, Args)]
pub(crate) struct Exported {
    /// The file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// An account to be deleted.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its name
    pub(crate) name: String,
    /// Do not ask for the name again
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
    #[command(flatten)]
    pub(crate) links: Links,
}
