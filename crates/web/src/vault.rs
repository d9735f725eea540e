//! Where passphrases are worked on. argon2id takes 64 MiB and a processor for a moment, so few are worked on at once, some wait,
//! and the rest is refused: any number of log-ins neither fills the memory nor starves the peers.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

pub(crate) struct Vault {
    at_work: Arc<Semaphore>,
    /// Places for those at work and those that wait.
    places: Arc<Semaphore>,
}

/// Too many wait already, or one has waited for too long.
#[derive(Debug)]
pub(crate) struct Busy;

impl Vault {
    pub(crate) fn new(at_work: usize, waiting: usize) -> Self {
        let at_work = at_work.max(1);
        let places = Arc::new(Semaphore::new(at_work + waiting));
        Self { at_work: Arc::new(Semaphore::new(at_work)), places }
    }

    /// Does a piece of work on a thread of its own, once it is its turn, if that is so in time.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        until: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = timeout_at(until, Arc::clone(&self.at_work).acquire_owned()).await;
        let turn = turn.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let working = spawn_blocking(move || {
            let done = work();
            // It is over when the work is, even if nobody waits for it any more.
            drop(turn);
            done
        });
        working.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn few_work_at_once_some_wait_and_the_rest_is_refused() {
        let vault = Vault::new(2, 3);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let works = (0..10).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            vault.work(in_a_minute(), move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(20));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        let done = futures::future::join_all(works).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5);
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert!(vault.work(in_a_minute(), || ()).await.is_ok(), "the places are free again");
    }

    #[tokio::test]
    async fn one_that_has_waited_for_too_long_is_refused() {
        let vault = Vault::new(1, 3);
        let (over, is_over) = std::sync::mpsc::channel();
        let long = vault.work(in_a_minute(), move || is_over.recv().is_ok());
        let second = async {
            let refused = vault.work(Instant::now(), || ()).await;
            over.send(()).unwrap();
            refused
        };
        let (long, second) = tokio::join!(long, second);
        assert!(long.is_ok() && second.is_err());
        assert!(vault.work(in_a_minute(), || ()).await.is_ok(), "its place is free again");
    }
}
