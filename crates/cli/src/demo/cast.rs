//! The peers of the demonstration.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use node::Requests;
use node::chat::{Answer, Command, Event, Message, MessageId, Recipients, Target};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::triangle::encore;

/// Who plays. The first one is who the others connect to.
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// How long anything may take on one machine; after that something is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether this is the name of a player: whom the user is to write to has that name alone.
pub(super) fn plays(name: &str) -> bool {
    NAMES.contains(&name.to_lowercase().as_str())
}

/// Three running peers, and what happens to them in one stream.
pub(super) struct Cast {
    players: Vec<Requests>,
    events: mpsc::Receiver<(&'static str, Event)>,
    traces: Vec<PathBuf>,
    /// Where the first one listens.
    address: String,
}

impl Cast {
    /// Starts them and waits until each has met the others. Their traces are written to `folder`.
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let (sender, events) = mpsc::channel(256);
        let mut cast = Self { players: Vec::new(), events, traces: Vec::new(), address: String::new() };
        for name in NAMES {
            let trace = folder.join(format!("{name}.trace.jsonl"));
            let config = node::Config { trace: Some(trace.clone()), ..cast.config(name) };
            let mut session = node::start(config).await?;
            cast.players.push(session.requests);
            cast.traces.push(trace);
            let sender = sender.clone();
            tokio::spawn(async move {
                while let Some(event) = session.events.next().await {
                    if sender.send((name, event)).await.is_err() {
                        break;
                    }
                }
            });
            if cast.address.is_empty() {
                cast.address = cast
                    .wait(
                        |_, event| if let Event::Listening { address } = event { Some(address.clone()) } else { None },
                    )
                    .await?;
            }
        }
        let mut meetings = NAMES.len() * (NAMES.len() - 1);
        cast.wait(|_, event| {
            meetings -= usize::from(matches!(event, Event::PeerUp { .. }));
            (meetings == 0).then_some(())
        })
        .await?;
        Ok(cast)
    }

    /// What a further peer is started with.
    pub(super) fn config(&self, name: &str) -> node::Config {
        let mut config = node::Config::new(name);
        config.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        config.peers = Some(self.address.clone()).filter(|address| !address.is_empty()).into_iter().collect();
        config.mdns = false;
        config
    }

    pub(super) fn traces(&self) -> Vec<PathBuf> {
        self.traces.clone()
    }

    /// `name` sends a message; its id.
    pub(super) async fn send(&self, name: &str, to: Target, text: &str, delay: Duration) -> anyhow::Result<MessageId> {
        let player = NAMES.iter().position(|&known| known == name).context("nobody plays that part")?;
        let delay_ms = u64::try_from(delay.as_millis()).context("a delay of an hour at most")?;
        let command = Command::Send { to, text: text.to_owned(), delay_ms };
        let answer = self.players[player].request(command).await??;
        let Answer::Sent { message, .. } = answer else { bail!("{name} was to send something, and got {answer:?}") };
        Ok(message.id)
    }

    /// The next thing that happens to anybody and is looked for.
    pub(super) async fn wait<T>(&mut self, mut find: impl FnMut(&str, &Event) -> Option<T>) -> anyhow::Result<T> {
        let search = async {
            while let Some((name, event)) = self.events.recv().await {
                if let Some(found) = find(name, &event) {
                    return Ok(found);
                }
            }
            bail!("the peers have stopped")
        };
        timeout(PATIENCE, search)
            .await
            .context("the peers do not find each other on 127.0.0.1; is there a firewall?")?
    }

    /// Plays on with whoever writes to alice, until the task is stopped.
    pub(super) async fn play_on(mut self) {
        while let Some((name, event)) = self.events.recv().await {
            if let Some(message) = written_to(name, &event, "alice") {
                let target = Target::Name(message.from.person.to_string());
                // Whoever has left again misses the rest of it.
                let _ = encore(&mut self, target, &message.from.name.clone()).await;
            }
        }
    }

    /// Everybody says goodbye.
    pub(super) async fn leave(mut self) {
        for player in &self.players {
            player.stop();
        }
        self.players.clear();
        while self.events.recv().await.is_some() {}
    }
}

/// A message that has just reached `wanted` alone, from somebody else.
fn written_to<'a>(name: &str, event: &'a Event, wanted: &str) -> Option<&'a Message> {
    let Event::Message { message } = event else { return None };
    let direct = matches!(message.to, Recipients::Direct(_));
    (name == wanted && !message.own && direct).then_some(message)
}
