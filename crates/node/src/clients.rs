//! The user interfaces in other processes, as the event loop sees them.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::feed::{Feed, Told};
use crate::session::{Ended, InterfaceId};

/// What a new client is given between two turns. From that moment on its feed misses nothing.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) id: InterfaceId,
    pub(crate) known: chat::Hello,
    pub(crate) feed: Arc<Feed>,
}

/// A client's request to be let in. The answer is that, or why the client is turned away.
pub(crate) type Attach = oneshot::Sender<Result<Attached, String>>;

/// All attached clients.
#[derive(Debug)]
pub(crate) struct Clients {
    feeds: Vec<Arc<Feed>>,
    /// The client that attached last.
    last: InterfaceId,
    /// [`Config::client_bytes`](crate::Config).
    bytes: usize,
}

impl Clients {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { feeds: Vec::new(), last: InterfaceId::LOCAL, bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    pub(crate) fn add(&mut self, client: Attach, known: chat::Hello) {
        self.drop_gone();
        let feed = Arc::new(Feed::new(self.bytes));
        self.last = self.last.next();
        // If the client has gone away meanwhile, it holds no feed, and is dropped with the others that went.
        let _ = client.send(Ok(Attached { id: self.last, known, feed: Arc::clone(&feed) }));
        self.feeds.push(feed);
    }

    pub(crate) fn tell(&mut self, batch: &Arc<[Told]>) {
        self.drop_gone();
        self.feeds.retain(|feed| feed.push(batch));
    }

    /// The peer has stopped. Every client is told why.
    pub(crate) fn stop(self, why: &Ended) {
        for feed in self.feeds {
            feed.stop(why.clone());
        }
    }

    fn drop_gone(&mut self) {
        self.feeds.retain(|feed| Arc::strong_count(feed) > 1);
    }
}
