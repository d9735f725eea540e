//! Where passphrases are worked on. argon2id takes 64 MiB and a processor for a moment, so few are worked on at once, some wait,
//! and the rest is refused: any number of log-ins neither fills the memory nor starves the peers.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub(crate) struct Vault {
    at_work: Arc<Semaphore>,
    /// Places for those at work and those that wait.
    places: Arc<Semaphore>,
}

/// Too many wait already.
#[derive(Debug)]
pub(crate) struct Busy;

impl Vault {
    pub(crate) fn new(at_work: usize, waiting: usize) -> Self {
        let at_work = at_work.max(1);
        Self { at_work: Arc::new(Semaphore::new(at_work)), places: Arc::new(Semaphore::new(at_work + waiting)) }
    }

    /// Does a piece of work on a thread of its own, once it is its turn.
    pub(crate) async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.at_work).acquire_owned().await.map_err(|_| Busy)?;
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

    #[tokio::test]
    async fn few_work_at_once_some_wait_and_the_rest_is_refused() {
        let vault = Vault::new(2, 3);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let works = (0..10).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            vault.work(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(20));
                now.fetch_sub(1, Ordering::SeqCst);
            })
        });
        let done = futures::future::join_all(works).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5);
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert!(vault.work(|| ()).await.is_ok(), "the places are free again");
    }
}
