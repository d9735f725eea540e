//! Passphrases and codes that each address tries. One that is still being checked takes the place of a wrong one, so trying many at
//! the same moment gains nothing. A try without a place waits until another of its address is over: people behind one router who all
//! know their passphrases can log in at the same moment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::limits::network;
use crate::rates::Rates;
use crate::refusal::Refusal;

pub(crate) struct Guesses {
    counts: Mutex<Counts>,
    /// Tells those that wait that a try is over.
    over: Notify,
}

struct Counts {
    wrong: Rates<IpAddr>,
    under_way: HashMap<IpAddr, u32>,
}

/// A try under way. It takes a place of its address until it is dropped.
pub(crate) struct Guess {
    guesses: Arc<Guesses>,
    from: IpAddr,
}

impl Guesses {
    pub(crate) fn new(wrong: Rates<IpAddr>) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::new(Counts { wrong, under_way: HashMap::new() }), over: Notify::new() })
    }

    /// Begins a try, as soon as its address has a place for it.
    ///
    /// # Errors
    /// The address has to wait because its tries were wrong, or it had no place in time.
    pub(crate) async fn begin(self: &Arc<Self>, from: IpAddr, until: Instant) -> Result<Guess, Refusal> {
        let from = network(from);
        loop {
            let over = self.over.notified();
            if self.counts.lock().begins(from, Instant::now())? {
                return Ok(Guess { guesses: Arc::clone(self), from });
            }
            timeout_at(until, over).await.map_err(|_| Refusal::Busy)?;
        }
    }
}

impl Counts {
    /// Begins a try if there is a place for it, and says whether there was one.
    fn begins(&mut self, from: IpAddr, now: Instant) -> Result<bool, Refusal> {
        let room = self.wrong.room(&from, now).map_err(Refusal::Wait)?;
        let under_way = self.under_way.entry(from).or_default();
        let begins = *under_way < room;
        *under_way += u32::from(begins);
        Ok(begins)
    }
}

impl Guess {
    /// It was wrong.
    pub(crate) fn wrong(self) {
        self.guesses.counts.lock().wrong.count(self.from, Instant::now());
    }
}

impl Drop for Guess {
    fn drop(&mut self) {
        let under_way = &mut self.guesses.counts.lock().under_way;
        if let Some(count) = under_way.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.from);
            }
        }
        self.guesses.over.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn guesses() -> Arc<Guesses> {
        Guesses::new(Rates::new(5, Duration::from_secs(3600), 10))
    }

    fn at_once() -> Instant {
        Instant::now()
    }

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn as_many_are_under_way_at_once_as_may_be_wrong() {
        let guesses = guesses();
        let mut begun: Vec<_> = join_all((0..5).map(|_| guesses.begin(HERE, at_once()))).await;
        assert!(begun.iter().all(Result::is_ok));
        assert!(matches!(guesses.begin(HERE, at_once()).await, Err(Refusal::Busy)));
        assert!(guesses.begin(THERE, at_once()).await.is_ok(), "another address has places of its own");
        begun.pop();
        assert!(guesses.begin(HERE, at_once()).await.is_ok(), "the place of one that is over is free");
        for wrong in begun {
            wrong.unwrap().wrong();
        }
        assert!(guesses.begin(HERE, at_once()).await.is_ok(), "one wrong one is left");
        assert!(guesses.counts.lock().under_way.is_empty());
    }

    #[tokio::test]
    async fn those_that_wait_go_on_after_right_ones_and_are_refused_after_wrong_ones() {
        for (is_wrong, worked_on) in [(false, 250), (true, 5)] {
            let guesses = guesses();
            let tries = join_all((0..250).map(async |_| match guesses.begin(HERE, in_a_minute()).await {
                Ok(guess) => {
                    tokio::task::yield_now().await;
                    if is_wrong {
                        guess.wrong();
                    }
                    true
                }
                Err(Refusal::Wait(_)) => false,
                Err(other) => panic!("{other}"),
            }));
            assert_eq!(tries.await.into_iter().filter(|worked_on| *worked_on).count(), worked_on);
        }
    }
}
