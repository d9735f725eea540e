use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat::Now;
use tokio::time::Instant;

/// The clocks that `chat` is given. The monotonic one counts from the start of this peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        // A clock before 1970 is as wrong as one at 1970.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let unix_micros = i64::try_from(unix.as_micros()).unwrap_or(i64::MAX);
        Now { monotonic: self.start.elapsed(), unix_micros }
    }

    /// When the monotonic clock shows `at`.
    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.start + at
    }
}
