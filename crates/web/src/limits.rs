use std::time::Duration;

/// How much of everything a page takes. A browser uses a handful; the rest is for several tabs and windows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// TCP connections at once, 128 by default. One more is closed as soon as it comes.
    pub connections: usize,
    /// How long one connection may take for all of its requests, 60 s by default; that of a WebSocket lasts.
    pub connection_lasts: Duration,
    /// WebSockets at once, of all sessions, 32 by default.
    pub sockets: usize,
    /// How long a browser may take nothing of what is written to its WebSocket before it is dropped, 20 s by default.
    pub patience: Duration,
    /// Sessions at once, 16 by default. One more ends the one that was used longest ago.
    pub sessions: usize,
    /// How long a session lasts that is not used, 12 h by default.
    pub idle: Duration,
    /// One-time codes at once, 8 by default. One more ends the oldest.
    pub codes: usize,
    /// How long a one-time code can be used, 2 min by default: long enough to open a link.
    pub code_lasts: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            connection_lasts: Duration::from_secs(60),
            sockets: 32,
            patience: Duration::from_secs(20),
            sessions: 16,
            idle: Duration::from_secs(12 * 3600),
            codes: 8,
            code_lasts: Duration::from_secs(120),
        }
    }
}
