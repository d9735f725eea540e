//! What user interfaces are told when it changes: at once, and then no more often than a person sees a difference.

use std::time::Duration;

/// How often they are told at most.
const EVERY: Duration = Duration::from_millis(100);

/// Whether there is something to tell, and when it was told last.
#[derive(Debug, Default)]
pub(super) struct Notice {
    is_news: bool,
    /// Monotonic.
    told: Option<Duration>,
}

impl Notice {
    /// Something changed.
    pub(super) fn note(&mut self) {
        self.is_news = true;
    }

    /// When it is to be told (monotonic), if there is something.
    pub(super) fn next(&self) -> Option<Duration> {
        self.is_news.then(|| self.told.map_or(Duration::ZERO, |told| told + EVERY))
    }

    /// Whether it is to be told now; then it counts as told.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let is_due = self.next().is_some_and(|at| at <= now);
        if is_due {
            *self = Self { is_news: false, told: Some(now) };
        }
        is_due
    }
}
