mod account;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use account::{AccountTask, Delete, Passphrase};

const EXAMPLES: &str = "\
Examples:
  causerie                                  find everybody on this network and chat
  causerie --name alice --data ~/alice      a second peer on one machine needs a folder of its own
  causerie --peer 192.0.2.7:4100            join a mesh that multicast does not reach; one address is enough
  causerie run                              a peer without a prompt, as a service or in a container
  causerie attach                           a prompt for it, one of any number
  causerie run --web 127.0.0.1:4180         the same with a page for the browser; `causerie page` prints its link
  causerie web                              a page for the accounts of this machine, at http://127.0.0.1:4180/
  causerie send @bob the build is done      one message by it, from a script
  causerie demo                             see causal order at work, without a second machine
  causerie diagram *.trace -o chat.svg      draw what the peers wrote down with --trace

Exit codes: 0 fine; 1 it could not be done, or `check` found a violation; 2 the options or the traces make no sense.";

/// A serverless group chat in which nobody ever reads an answer before its question.
///
/// On a terminal it is a prompt; `-h` there lists the commands. Otherwise it reads a command a line and writes what
/// happens line by line, as text or as JSON, and leaves at the end of its input.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) peer: Peer,
    #[command(flatten)]
    pub(crate) look: Look,
}

/// How the prompt looks.
#[derive(Debug, Args)]
pub(crate) struct Look {
    /// What the prompt shows of you (default: CAUSERIE_PROMPT, or else name)
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) prompt: Option<ShownAs>,
}

/// What the prompt shows of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShownAs {
    /// The name, as others see it: alice>
    Name,
    /// The name and the address: alice@192.0.2.5>
    Address,
}

/// How a peer finds the others.
#[derive(Clone, Debug, Args)]
pub(crate) struct Links {
    /// Where to listen; can be given more than once (default: every interface, a free port)
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Addresses of peers to connect to.
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
        help = "Connect to this peer: ip:port, [ip6]:port, host:port or a multiaddr; can be given more than once"
    )]
    pub(crate) peer: Vec<String>,
    /// Neither look for peers nor announce this one by multicast DNS
    #[arg(long)]
    pub(crate) no_mdns: bool,
    /// Use multicast DNS on this network interface only
    #[arg(long, value_name = "NAME", conflicts_with = "no_mdns", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) interface: Option<String>,
}

/// What the peer is started with.
#[derive(Debug, Args)]
pub(crate) struct Peer {
    /// Your name: 1 to 32 letters, digits, _, - or . (default: CAUSERIE_NAME, or else your login name); @host stands for this
    /// host's name
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) links: Links,
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
    /// Drop messages that are older than so many days (default: keep them for good)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) keep: Option<u32>,
    /// Drop the oldest messages once all of them take more than so many megabytes (default: any number)
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub(crate) keep_size: Option<u32>,
    /// Append what this peer does to FILE, for `causerie check` and `causerie diagram`
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Serve the page of this peer to browsers of this machine, at a loopback address; `causerie page` prints a link to it
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) web: Option<SocketAddr>,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter such as net=debug
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
    /// Write one JSON object a line, and read them too (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// The variable of the environment that says what the prompt shows.
pub(crate) const PROMPT: &str = "CAUSERIE_PROMPT";

/// The variable of the environment that names the user. What is empty is as good as unset.
pub(crate) const NAME: &str = "CAUSERIE_NAME";

/// The variable of the environment that names the data folder, likewise.
pub(crate) const DATA: &str = "CAUSERIE_DATA";

/// The variable of the environment that names the account, likewise.
pub(crate) const ACCOUNT: &str = "CAUSERIE_ACCOUNT";

/// Which peer it is about: each has its own folder.
#[derive(Clone, Debug, Args)]
pub(crate) struct Folder {
    /// The account, made by `causerie account new` (default: CAUSERIE_ACCOUNT, or else none: the default folder)
    #[arg(long, value_name = "NAME", conflicts_with = "data", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) account: Option<String>,
    /// The peer's folder, with your identity in it (default: CAUSERIE_DATA, or else causerie in the user's data folder, such as
    /// ~/.local/share)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run a peer without a prompt, as a service; its log tells what happens
    Run(Peer),
    /// Open a prompt on the running peer; closing it leaves the peer running
    Attach(Attach),
    /// Send one message by the running peer; says who is away and gets it later
    Send(Send),
    /// Print a link that opens the page of the running peer in a browser; it works once, and for two minutes
    Page(Folder),
    /// Serve a page for the accounts of this machine: register, log in and chat in a browser, each with a peer of their own
    Web(Web),
    /// List everyone that the running peer knows
    Users(Users),
    /// Say in one line whether the running peer is well: 0 if it answers, listens, and has a link to everybody heard of
    Health(Folder),
    /// Log out: stop the running peer, and forget its key; what is sent to its user waits
    Logout(Folder),
    /// Look for what keeps a peer from working, and say what to do: one line a check, 0 if all is well
    Doctor(Doctor),
    /// Verify causal order and exactly-once delivery from the traces of all peers
    Check(Traces),
    /// Draw the traces of all peers as a space–time diagram
    #[command(after_help = shiviz())]
    Diagram(Drawing),
    /// Make and keep accounts: identities with a passphrase, each in a folder of its own
    #[command(subcommand)]
    Account(AccountTask),
    /// Three peers play the dependency triangle on this machine; then you join them
    Demo,
}

/// A prompt, or lines, on a running peer.
#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) look: Look,
    /// Write one JSON object a line, and read them too (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// One message.
#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The message, as at the prompt: @TARGET MESSAGE, or only a MESSAGE for everybody; - in place of MESSAGE, or nothing and a
    /// pipe, takes it from standard input
    #[arg(trailing_var_arg = true, value_name = "MESSAGE")]
    pub(crate) message: Vec<String>,
}

/// A page for accounts, or for one peer.
#[derive(Debug, Args)]
pub(crate) struct Web {
    /// Where to serve it; an address that other machines reach gets TLS
    #[arg(value_name = "IP:PORT", default_value = "127.0.0.1:4180")]
    pub(crate) address: SocketAddr,
    /// A name by which browsers call this host, with or without a port, beside its addresses; can be given more than once
    #[arg(long = "name", value_name = "HOST", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) names: Vec<String>,
    /// Serve the page of the peer that runs on FOLDER, and not of the accounts; the link that is printed opens it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["no_register", "register_code", "Links"])]
    pub(crate) data: Option<PathBuf>,
    /// Let nobody register: the accounts are those that `causerie account` makes
    #[arg(long, conflicts_with = "register_code")]
    pub(crate) no_register: bool,
    /// Let only those register who know CODE
    #[arg(long, value_name = "CODE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) register_code: Option<String>,
    /// Encrypt with this certificate, PEM, with its chain behind it (default beyond this machine: one that causerie makes)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Do without TLS beyond this machine: everybody on the way can read passphrases and messages
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) insecure_http: bool,
    #[command(flatten)]
    pub(crate) links: Links,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter such as web=info
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    pub(crate) log: String,
}

/// A list of people.
#[derive(Debug, Args)]
pub(crate) struct Users {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Write it as one JSON object, the answer `users` of docs/json.md
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is looked at.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Look at this network interface only
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Write the outcome as one JSON object (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is checked.
#[derive(Debug, Args)]
pub(crate) struct Traces {
    /// The traces, one a peer
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Verify as well that every message reached everybody it was for
    #[arg(long)]
    pub(crate) complete: bool,
    /// The peers still run: ask as much of a peer whose trace does not end in a goodbye as of one that has left
    #[arg(long, requires = "complete")]
    pub(crate) running: bool,
    /// A peer (by its name or process) that was killed for good while the others still run; can be given more than once
    #[arg(long, value_name = "NAME", requires = "running", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) killed: Vec<String>,
    /// A peer (by its name or process) that left on purpose; can be given more than once
    #[arg(long, value_name = "NAME", requires = "complete", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) absent: Vec<String>,
}

/// What is drawn.
#[derive(Debug, Args)]
pub(crate) struct Drawing {
    /// The traces, one a peer
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write it (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    pub(crate) format: Format,
}

/// How to have ShiViz read its format.
fn shiviz() -> String {
    format!("ShiViz takes the log as a file, or pasted with this regular expression:\n  {}", trace::SHIVIZ_EXPRESSION)
}

/// The forms of a drawing.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// A picture, for any browser
    Svg,
    /// A log for ShiViz.
    #[value(help = "A log for ShiViz, https://bestchai.bitbucket.io/shiviz/")]
    Shiviz,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn what_is_kept_is_bounded_in_days_and_megabytes() {
        let read = |arguments: &[&str]| {
            let arguments = std::iter::once("causerie").chain(arguments.iter().copied());
            let peer = Options::try_parse_from(arguments).unwrap().peer;
            (peer.keep, peer.keep_size)
        };
        assert_eq!(read(&[]), (None, None));
        assert_eq!(read(&["--keep", "90", "--keep-size", "500"]), (Some(90), Some(500)));
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in [
            &["--listen", "here"][..],
            &["check"],
            &["diagram"],
            &["diagram", "x", "--format", "png"],
            &["--no-mdns", "--interface", "eth0"],
            &["--keep", "0"],
            &["--keep", "a week"],
            &["--keep-size", "0"],
            &["--keep-size", "1.5"],
            &["--json", "demo"],
            &["--data", "folder", "run"],
            &["--prompt", "address", "run"],
            &["run", "--prompt", "address"],
            &["--prompt", "what"],
            &["check", "x", "--absent", "bob"],
            &["check", "x", "--running"],
            &["check", "x", "--complete", "--killed", "bob"],
            &["--name", ""],
            &["--data", ""],
            &["--peer", ""],
            &["--interface", ""],
            &["--trace", ""],
            &["check", ""],
            &["check", "x", "--complete", "--absent", ""],
            &["diagram", "x", "-o", ""],
            &["attach", "--name", "bob"],
            &["send", "--json", "hi"],
            &["health", "--json"],
            &["--peer", "1.2.3.4:5", "attach"],
            &["--web", "4180"],
            &["attach", "--web", "127.0.0.1:4180"],
            &["web", "4180"],
            &["web", "--no-register", "--register-code", "x"],
            &["web", "--tls-cert", "x"],
            &["web", "--tls-key", "x"],
            &["web", "--tls-cert", "x", "--tls-key", "x", "--insecure-http"],
            &["web", "--register-code", ""],
            &["web", "--account", "alice"],
            &["--json", "--json"],
            &["--account", "alice", "--data", "folder"],
            &["--account", ""],
            &["account"],
            &["account", "new", "alice", "--passphrase", "secret"],
            &["account", "delete"],
            &["account", "import"],
        ] {
            let arguments = std::iter::once("causerie").chain(nonsense.iter().copied());
            assert!(Options::try_parse_from(arguments).is_err(), "{nonsense:?}");
        }
    }
}
