//! Other processes reach the session of a running peer over the socket in its data folder.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::time::Duration;

use node::chat::{Answer, Command, Event, Refusal, Target};
use node::{AttachError, Config, DataFolder, Ending, Error, Events, Home, Session};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each folder belongs to a different person.
fn home(folder: &Path) -> Result<Home, Error> {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    Ok(Home { folder: DataFolder::open(folder)?, seed: seed.into() })
}

/// A running peer, and the folder that it runs on.
struct Peer {
    session: Session,
    folder: TempDir,
}

impl Peer {
    /// Makes another program write to the store. So what the user says cannot be kept, and is refused.
    async fn get_stuck(&mut self) -> rusqlite::Connection {
        let db = rusqlite::Connection::open(self.folder.path().join("causerie.db")).expect("the store is there");
        db.execute_batch("BEGIN IMMEDIATE").expect("nothing else writes for long");
        let refused = self.session.requests.request(say("refused")).await.expect("the peer runs");
        assert!(
            matches!(&refused, Err(Refusal::NotKept { reason }) if reason.contains("another program")),
            "{refused:?}"
        );
        let stuck = |event| matches!(event, Event::Problem(problem) if problem.kind == "not_kept").then_some(());
        until(&mut self.session.events, stuck).await;
        db
    }

    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut config = Config::new("alice");
        config.home = Some(home(folder.path()).expect("the folder can be used"));
        config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
        config.mdns = false;
        change(&mut config);
        let mut session = node::start(config).await.expect("the peer starts");
        let listens = |event| matches!(event, Event::Listening { .. }).then_some(());
        until(&mut session.events, listens).await;
        Self { session, folder }
    }

    async fn attach(&self) -> Session {
        node::attach(self.folder.path()).await.expect("the peer runs")
    }

    async fn connect(&self) -> Client {
        let mut client = Client::connect(self.folder.path()).await;
        assert_eq!(client.next().await["hello"], 1);
        client
    }

    async fn say(&self, text: &str) {
        self.session.requests.request(say(text)).await.expect("the peer runs").expect("it is no refusal");
    }
}

/// The other end of the socket, as a script uses it.
struct Client {
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
}

impl Client {
    async fn connect(folder: &Path) -> Self {
        let stream = UnixStream::connect(folder.join("session.sock")).await.expect("the peer listens");
        let (input, output) = stream.into_split();
        Self { input: BufReader::new(input), output }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.output.write_all(bytes).await.expect("the peer reads");
    }

    async fn next(&mut self) -> Value {
        let mut line = String::new();
        timeout(PATIENCE, self.input.read_line(&mut line)).await.expect("in time").expect("it can be read");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.write(format!("{request}\n").as_bytes()).await;
        self.next_with("id").await
    }

    async fn next_with(&mut self, key: &str) -> Value {
        loop {
            let line = self.next().await;
            if line.get(key).is_some() {
                return line;
            }
        }
    }

    /// Everything up to the end of the session.
    async fn rest(mut self) -> Vec<Value> {
        let mut text = String::new();
        timeout(PATIENCE, self.input.read_to_string(&mut text)).await.expect("in time").expect("it can be read");
        text.lines().map(|line| serde_json::from_str(line).expect("lines are whole")).collect()
    }
}

fn say(text: &str) -> Command {
    Command::Send { to: Target::All, text: text.to_owned(), delay_ms: 0 }
}

async fn until<T>(events: &mut Events, mut find: impl FnMut(Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = events.next().await.expect("the session goes on");
            if let Some(found) = find(event) {
                return found;
            }
        }
    };
    timeout(PATIENCE, search).await.expect("in time")
}

/// The next text that is shown.
async fn text(events: &mut Events) -> String {
    until(events, |event| if let Event::Message { message } = event { Some(message.text.to_string()) } else { None })
        .await
}

#[tokio::test]
async fn a_command_is_answered_at_its_user_interface_and_an_event_at_the_others() {
    let mut alice = Peer::start().await;
    let (mut one, mut other) = (alice.attach().await, alice.attach().await);
    assert_eq!(one.hello.known.me.name, "alice");
    let answer = one.requests.request(say("by one")).await.unwrap().unwrap();
    assert!(matches!(answer, Answer::Sent { .. }));
    assert_eq!(text(&mut other.events).await, "by one");
    assert_eq!(text(&mut alice.session.events).await, "by one");
    alice.say("by the peer's own").await;
    other.requests.request(say("by the other")).await.unwrap().unwrap();
    // A user interface is not told what it has said itself: it has the answer for that.
    assert_eq!(text(&mut one.events).await, "by the peer's own");
    assert_eq!(text(&mut one.events).await, "by the other");
    assert_eq!(text(&mut other.events).await, "by the peer's own");
    assert_eq!(text(&mut alice.session.events).await, "by the other");

    one.requests.request(Command::CreateGroup { group: "cars".into() }).await.unwrap().unwrap();
    let joined = |event| if let Event::GroupJoined { group, who } = event { Some((group, who)) } else { None };
    let (group, who) = until(&mut other.events, joined).await;
    assert_eq!((group.as_str(), who.name.as_str()), ("cars", "alice"));
    let refused = one.requests.request(Command::CreateGroup { group: "cars".into() }).await.unwrap();
    assert_eq!(refused, Err(Refusal::GroupExists { group: "cars".into() }));
    let later = alice.attach().await;
    assert_eq!(later.hello.known.groups[0].name, "cars");
}

#[tokio::test]
async fn closing_a_session_does_not_affect_the_peer_or_other_sessions() {
    let alice = Peer::start().await;
    let (mut leaves, mut stays) = (alice.attach().await, alice.attach().await);
    leaves.requests.stop();
    while timeout(PATIENCE, leaves.events.next()).await.expect("in time").is_some() {}
    drop(alice.attach().await);
    alice.say("still here").await;
    assert_eq!(text(&mut stays.events).await, "still here");
}

#[tokio::test]
async fn when_the_peer_leaves_all_clients_are_told_and_the_socket_goes() {
    let mut alice = Peer::start().await;
    let mut attached = alice.attach().await;
    let raw = alice.connect().await;
    alice.say("goodbye").await;
    alice.session.requests.stop();
    assert_eq!(text(&mut attached.events).await, "goodbye");
    while timeout(PATIENCE, attached.events.next()).await.expect("in time").is_some() {}
    assert_eq!(attached.events.reason(), "the peer has left");
    assert_eq!(raw.rest().await.last(), Some(&json!({"end": "the peer has left"})));
    while alice.session.events.next().await.is_some() {}
    assert!(!alice.folder.path().join("session.sock").exists());
    let nobody = node::attach(alice.folder.path()).await.unwrap_err();
    assert!(matches!(nobody, AttachError::NoPeer { .. }), "{nobody}");
}

#[tokio::test]
async fn a_user_logs_out_at_any_user_interface_and_every_other_one_is_told_why() {
    let mut alice = Peer::start().await;
    let (one, mut other) = (alice.attach().await, alice.attach().await);
    let mut raw = alice.connect().await;
    let answer = one.requests.request(Command::LogOut).await.unwrap();
    assert!(matches!(answer, Ok(Answer::LoggingOut { who }) if who.name == "alice"));
    for events in [&mut other.events, &mut alice.session.events] {
        while timeout(PATIENCE, events.next()).await.expect("in time").is_some() {}
        assert_eq!((events.reason(), events.ending()), ("alice has logged out", Ending::LoggedOut));
    }
    assert_eq!(raw.next_with("end").await, json!({"end": "alice has logged out", "why": "logged_out"}));
    // The folder is free before any client is told the end.
    home(alice.folder.path()).expect("no peer runs on it");
}

#[tokio::test]
async fn an_account_is_deleted_if_its_name_is_written_and_not_otherwise() {
    let mut alice = Peer::start().await;
    let mut attached = alice.attach().await;
    for wrong in ["", "Alice", "bob"] {
        let refused = attached.requests.request(Command::DeleteAccount { name: wrong.into() }).await.unwrap();
        assert_eq!(refused, Err(Refusal::NotConfirmed { name: "alice".into() }));
    }
    alice.say("still here").await;
    let answer = attached.requests.request(Command::DeleteAccount { name: "alice".into() }).await.unwrap();
    assert!(matches!(answer, Ok(Answer::Deleting { told: 0, .. })), "{answer:?}");
    for events in [&mut attached.events, &mut alice.session.events] {
        while timeout(PATIENCE, events.next()).await.expect("in time").is_some() {}
        assert_eq!((events.reason(), events.ending()), ("alice has deleted the account", Ending::Deleted));
    }
    home(alice.folder.path()).expect("no peer runs on it");
}

#[tokio::test]
async fn no_account_is_deleted_while_nothing_can_be_kept() {
    let mut alice = Peer::start().await;
    let _writes = alice.get_stuck().await;
    let answer = alice.session.requests.request(Command::DeleteAccount { name: "alice".into() }).await.unwrap();
    assert!(matches!(answer, Err(Refusal::NotKept { .. })), "{answer:?}");
    let answer = alice.session.requests.request(Command::ListUsers).await.unwrap();
    assert!(answer.is_ok(), "the peer goes on");
}

#[tokio::test]
async fn a_user_can_log_out_while_nothing_can_be_kept() {
    let mut alice = Peer::start_with(|config| config.drain = Duration::ZERO).await;
    let _writes = alice.get_stuck().await;
    let answer = alice.session.requests.request(Command::LogOut).await.unwrap();
    assert!(matches!(answer, Ok(Answer::LoggingOut { .. })), "{answer:?}");
    while timeout(PATIENCE, alice.session.events.next()).await.expect("in time").is_some() {}
    assert_eq!(alice.session.events.ending(), Ending::LoggedOut);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_with_a_reason_and_holds_nothing_up() {
    const TEXTS: usize = 300;
    let mut alice = Peer::start_with(|config| config.client_bytes = 1 << 20).await;
    let mut reads = alice.attach().await;
    let slow = alice.connect().await;
    // Many times what may wait for it and what the socket holds.
    for number in 0..TEXTS {
        let said = format!("{number} {}", "x".repeat(60_000));
        timeout(PATIENCE, alice.say(&said)).await.expect("no client holds it up");
        assert_eq!(text(&mut reads.events).await, said);
    }
    // The peer still runs, so the slow client is not told that it has ended.
    let lines = slow.rest().await;
    let (last, told) = lines.split_last().unwrap();
    assert!(last["end"].as_str().unwrap().contains("waiting to be read"), "{last}");
    assert!(told.len() < TEXTS, "{}", told.len());
    let texts = told.iter().map(|line| line["message"]["text"].as_str().unwrap());
    assert!(texts.enumerate().all(|(number, text)| text.starts_with(&format!("{number} "))));
    alice.session.requests.stop();
    while alice.session.events.next().await.is_some() {}
}

#[tokio::test]
async fn nonsense_gets_a_short_error_and_later_requests_are_answered() {
    let alice = Peer::start().await;
    let (mut client, mut other) = (alice.connect().await, alice.connect().await);
    let long = "x".repeat(100_000);
    for (nonsense, named) in [
        (b"\xff\xfe\x00\n".to_vec(), "JSON"),
        (b"{\n".to_vec(), "JSON"),
        (b"7\n".to_vec(), "command"),
        (format!("{{\"command\":\"{long}\"}}\n").into_bytes(), "cannot be read"),
        ([&vec![b'x'; 1 << 21][..], b"\n"].concat(), "2097152 bytes"),
        (b"{\"text\":\"-listusers\"}\n".to_vec(), "command"),
    ] {
        client.write(&nonsense).await;
        let told = client.next_with("error").await;
        let error = told["error"].as_str().unwrap();
        assert!(error.contains(named) && error.len() < 1000, "{named}: {error}");
    }
    for id in [json!("after all"), json!({"any": ["value"]})] {
        let answer = client.ask(json!({"id": id, "command": "list_users"})).await;
        assert_eq!((&answer["id"], &answer["answer"]), (&id, &json!("users")));
    }
    let first = other.ask(json!({"id": 1, "command": "my_groups"})).await;
    assert_eq!(first["answer"], "groups", "no answer of another client");
}

#[tokio::test]
async fn requests_are_answered_in_order_even_after_the_client_has_finished_sending() {
    let alice = Peer::start().await;
    let mut client = alice.connect().await;
    let many: String = (0..500).map(|id| format!("{}\n", json!({"id": id, "command": "list_groups"}))).collect();
    client.write(many.as_bytes()).await;
    client.output.shutdown().await.unwrap();
    let Client { input, output } = client;
    let answers = Client { input, output }.rest().await;
    let ids: Vec<_> = answers.iter().filter_map(|answer| answer["id"].as_u64()).collect();
    assert!(ids.into_iter().eq(0..500));
}

#[tokio::test]
async fn two_versions_of_the_session_tell_each_other_so() {
    let alice = Peer::start().await;
    let mut client = alice.connect().await;
    client.write(b"{\"hello\":1}\n").await;
    assert_eq!(client.ask(json!({"id": 1, "command": "list_users"})).await["answer"], "users");
    client.write(b"{\"hello\":2}\n").await;
    let end = client.rest().await;
    let told = end[0]["end"].as_str().unwrap();
    assert!(told.contains("version 1") && told.contains("version 2"), "{told}");

    let folder = tempfile::tempdir().unwrap();
    let newer = tokio::net::UnixListener::bind(folder.path().join("session.sock")).unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = newer.accept().await.unwrap();
        stream.write_all(b"{\"hello\":2,\"all\":\"is different\"}\n").await.unwrap();
        stream
    });
    let refused = node::attach(folder.path()).await.unwrap_err();
    assert!(matches!(refused, AttachError::Version { theirs: 2, ours: 1 }), "{refused}");
    drop(serving.await.unwrap());
}

#[tokio::test]
async fn one_client_too_many_is_turned_away_until_another_leaves() {
    let alice = Peer::start_with(|config| config.max_clients = 2).await;
    let (one, _other) = (alice.connect().await, alice.connect().await);
    let refused = node::attach(alice.folder.path()).await.unwrap_err();
    assert!(refused.to_string().contains("max_clients"), "{refused}");
    drop(one);
    let again = async {
        while node::attach(alice.folder.path()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("in time");
}

#[tokio::test]
async fn while_nothing_can_be_kept_a_new_session_is_opened_and_told_why() {
    let mut peer = Peer::start().await;
    let db = peer.get_stuck().await;
    let late = peer.attach().await;
    let health = late.requests.request(Command::Health).await.expect("the peer runs").expect("it is no refusal");
    let Answer::Health { healthy, problems, .. } = health else { panic!("{health:?}") };
    assert!(!healthy && problems.iter().any(|problem| problem.text.contains("another program")), "{problems:?}");
    let refused = late.requests.request(say("refused, too")).await.expect("the peer runs");
    assert!(matches!(refused, Err(Refusal::NotKept { .. })), "{refused:?}");
    db.execute_batch("ROLLBACK").expect("it is open");
}

/// Each command is refused at once, and delays nothing.
#[tokio::test]
async fn typing_does_not_keep_a_stuck_peer_from_recovering() {
    let mut peer = Peer::start().await;
    let db = peer.get_stuck().await;
    db.execute_batch("ROLLBACK").expect("it is open");
    let typing = async {
        while peer.session.requests.request(say("and more")).await.expect("the peer runs").is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, typing).await.expect("it is taken once there is room");
}

#[tokio::test]
async fn attaching_to_a_folder_without_a_running_peer_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    drop(StdListener::bind(folder.path().join("session.sock")).unwrap());
    for folder in [folder.path(), Path::new("/nonexistent")] {
        let nobody = node::attach(folder).await.unwrap_err();
        assert!(matches!(nobody, AttachError::NoPeer { .. }));
        assert!(nobody.to_string().contains("causerie run"), "{nobody}");
    }
    let long = node::attach(Path::new(&format!("/{}", "n".repeat(107)))).await.unwrap_err();
    assert!(matches!(long, AttachError::Folder(Error::SocketPath { .. })), "{long}");
}

#[tokio::test]
async fn the_socket_of_a_running_peer_is_left_alone() {
    let alice = Peer::start().await;
    assert!(matches!(home(alice.folder.path()).unwrap_err(), Error::DataInUse { .. }));
    assert_eq!(alice.attach().await.hello.known.me.name, "alice");
}

#[tokio::test]
async fn a_peer_is_healthy_if_it_listens_and_has_all_its_links() {
    let alice = Peer::start().await;
    let attached = alice.attach().await;
    let answer = attached.requests.request(Command::Health).await.unwrap().unwrap();
    let Answer::Health { healthy, listening, links, missing, .. } = answer else { panic!("{answer:?}") };
    assert!(healthy && links == 0 && missing.is_empty(), "a peer on its own counts as healthy");
    let address = listening[0].clone();
    let mut bob = Peer::start_with(|config| {
        config.name = "bob".to_owned();
        config.peers = vec![address];
    })
    .await;
    until(&mut bob.session.events, |event| matches!(event, Event::PeerUp { .. }).then_some(())).await;
    let answer = bob.session.requests.request(Command::Health).await.unwrap().unwrap();
    assert!(matches!(answer, Answer::Health { healthy: true, links: 1, .. }), "{answer:?}");
}
