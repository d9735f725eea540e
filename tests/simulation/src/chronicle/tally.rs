//! How much happened in a run, for the summary of many.

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Messages stamped.
    pub sent: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Messages held back.
    pub held: u64,
    /// Ranges of clocks that were given up.
    pub abandoned: u64,
    /// Deliveries of messages that had been given up.
    pub late: u64,
    /// Texts shown as history.
    pub fetched: u64,
    /// Frames that arrived.
    pub frames: u64,
    /// Crashes.
    pub crashes: u64,
    /// Links that came up.
    pub links: u64,
    /// Turns that could not be kept at first.
    pub stuck: u64,
    /// Turns of users that could not be kept, so that they were undone.
    pub refused: u64,
    /// Peers that were told that a copy of them was started later.
    pub superseded: u64,
    /// People who deleted the account.
    pub deleted: u64,
}

impl Tally {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        let Self {
            sent,
            delivered,
            held,
            abandoned,
            late,
            fetched,
            frames,
            crashes,
            links,
            stuck,
            refused,
            superseded,
            deleted,
        } = other;
        self.sent += sent;
        self.delivered += delivered;
        self.held += held;
        self.abandoned += abandoned;
        self.late += late;
        self.fetched += fetched;
        self.frames += frames;
        self.crashes += crashes;
        self.links += links;
        self.stuck += stuck;
        self.refused += refused;
        self.superseded += superseded;
        self.deleted += deleted;
    }
}
