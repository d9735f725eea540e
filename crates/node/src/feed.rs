//! The events that one user interface in another process has yet to be told.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use chat::Event;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::session::{Ended, InterfaceId};

/// An event, and the user interface that caused it. That one has its answer and is not told again.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) event: Event,
    pub(crate) by: Option<InterfaceId>,
}

/// Why a feed ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The peer has stopped. Everything that happened before is still handed out.
    Stopped(Ended),
    /// Too much was waiting, and was dropped.
    Slow,
}

/// A queue of batches, bounded by their bytes. Batches are shared: if several clients wait for one, it is held once.
///
/// The queue never makes the peer wait. A client with more than the bound waiting is told no more.
#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    more: Notify,
    bound: usize,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Arc<[Told]>>,
    bytes: usize,
    end: Option<End>,
}

impl Feed {
    pub(crate) fn new(bound: usize) -> Self {
        Self { state: Mutex::default(), more: Notify::new(), bound }
    }

    /// Adds a batch. Returns whether the feed goes on. If nothing is waiting, a batch of any size is taken.
    pub(crate) fn push(&self, batch: &Arc<[Told]>) -> bool {
        let mut state = self.state.lock();
        let State { batches, bytes, end } = &mut *state;
        let size = size(batch);
        if !batches.is_empty() && *bytes + size > self.bound {
            *end = Some(End::Slow);
            batches.clear();
        } else {
            *bytes += size;
            batches.push_back(Arc::clone(batch));
        }
        self.more.notify_one();
        end.is_none()
    }

    /// The peer stops, so nothing more comes.
    pub(crate) fn stop(&self, why: Ended) {
        self.state.lock().end.get_or_insert(End::Stopped(why));
        self.more.notify_one();
    }

    /// The next batch. For one waiter. Cancel-safe.
    ///
    /// # Errors
    /// [`End`], once and for all.
    pub(crate) async fn next(&self) -> Result<Arc<[Told]>, End> {
        loop {
            {
                let mut state = self.state.lock();
                if let Some(batch) = state.batches.pop_front() {
                    state.bytes -= size(&batch);
                    return Ok(batch);
                }
                if let Some(end) = &state.end {
                    return Err(end.clone());
                }
            }
            self.more.notified().await;
        }
    }
}

/// The bytes that a batch holds, roughly: only texts can be long.
fn size(batch: &[Told]) -> usize {
    let text = |told: &Told| if let Event::Message { message } = &told.event { message.text.len() } else { 0 };
    batch.iter().map(|told| size_of::<Told>() + text(told)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(texts: &[&str]) -> Arc<[Told]> {
        texts.iter().map(|&text| Told { event: Event::Warning { text: text.to_owned() }, by: None }).collect()
    }

    fn first(batch: &[Told]) -> &str {
        let Some(Told { event: Event::Warning { text }, .. }) = batch.first() else { panic!("{batch:?}") };
        text
    }

    #[tokio::test]
    async fn batches_come_in_order_and_then_the_end() {
        let feed = Feed::new(1 << 20);
        assert!(feed.push(&batch(&["one"])) && feed.push(&batch(&["two", "three"])));
        feed.stop(Ended::other("over"));
        assert_eq!(first(&feed.next().await.unwrap()), "one");
        assert_eq!(feed.next().await.unwrap().len(), 2);
        assert!(matches!(feed.next().await, Err(End::Stopped(Ended { text, .. })) if text == "over"));
    }

    #[tokio::test]
    async fn a_client_with_too_much_waiting_is_told_no_more_and_holds_nothing() {
        let feed = Feed::new(3 * size_of::<Told>());
        let shared = batch(&["one", "two"]);
        assert!(feed.push(&shared));
        assert!(!feed.push(&shared));
        assert_eq!(Arc::strong_count(&shared), 1);
        feed.stop(Ended::other("over"));
        assert!(matches!(feed.next().await, Err(End::Slow)));
    }

    #[tokio::test]
    async fn a_client_that_keeps_up_takes_a_batch_beyond_the_bound() {
        let feed = Feed::new(0);
        for _ in 0..3 {
            assert!(feed.push(&batch(&["large"])));
            feed.next().await.unwrap();
        }
    }
}
