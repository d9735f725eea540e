//! What is done to a peer or to the network, one thing at a time.

use std::time::Duration;

/// Where the effects of a turn end if a peer is killed (`chat::Effects`: durable, journal, frames, events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Nothing of the turn is kept.
    BeforeDurable,
    /// Everything is kept, and nothing else happened: the trace has no line of it either.
    AfterDurable,
    /// This percentage of the frames is sent.
    BetweenFrames(usize),
    /// Everything is sent, and the user sees nothing.
    BeforeEvents,
}

/// The store that a peer comes back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Everything that was durable.
    Same,
    /// Nothing but the key.
    Lost,
    /// What it had when a copy was made.
    Copy,
}

/// The recipients of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// All people.
    All,
    /// A group.
    Group(&'static str),
    /// A person.
    Person(usize),
    /// Two people at once.
    People(usize, usize),
}

/// Something that is done to a peer or to the network.
#[expect(missing_docs, reason = "who does what to whom: the fields say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A user writes this many texts in one turn.
    Say { who: usize, to: To, texts: usize, delay_ms: u64 },
    /// A user takes back one of the texts that have not gone out, or now sends one that was left unsent.
    Cancel { who: usize, nth: usize, resend: bool },
    /// A user creates a group.
    Create { who: usize, group: &'static str },
    /// A user joins a group.
    Join { who: usize, group: &'static str },
    /// A user leaves a group.
    Leave { who: usize, group: &'static str },
    /// A user gives a person an alias.
    Alias { who: usize, whom: usize },
    /// A user forgets a person who is away, for all people.
    Forget { who: usize, whom: usize },
    /// Nothing comes through from one machine to another.
    Block { from: usize, to: usize },
    /// Nothing comes through between two machines.
    Cut { a: usize, b: usize },
    /// Nothing comes through between the machines whose bits are set and the others.
    Split { side: u64 },
    /// The network between two machines works again.
    Mend { a: usize, b: usize },
    /// The network between all machines works again.
    MendAll,
    /// Each frame takes this long, one after the other.
    Slow { from: usize, to: usize, each: Duration },
    /// A link breaks, and can come back at once.
    Break { a: usize, b: usize },
    /// A peer is killed when its next effects reach that boundary.
    Crash { who: usize, at: Boundary },
    /// A peer leaves as it should.
    Goodbye { who: usize },
    /// A peer starts, or comes back.
    Start { who: usize, disk: Disk },
    /// A copy of a peer's store is made.
    Copy { who: usize },
    /// A wall clock jumps.
    Jump { who: usize, seconds: i64 },
    /// A wall clock is put right.
    Right { who: usize },
    /// A disk is full for this long: nothing can be kept.
    Fill { who: usize, time: Duration },
}

impl Action {
    /// The machines that act or are affected. People that a text or a command only names are not included.
    pub fn places(&mut self) -> Vec<&mut usize> {
        match self {
            Self::Say { who, .. }
            | Self::Cancel { who, .. }
            | Self::Create { who, .. }
            | Self::Join { who, .. }
            | Self::Leave { who, .. }
            | Self::Alias { who, .. }
            | Self::Forget { who, .. }
            | Self::Crash { who, .. }
            | Self::Goodbye { who }
            | Self::Start { who, .. }
            | Self::Copy { who }
            | Self::Jump { who, .. }
            | Self::Right { who }
            | Self::Fill { who, .. } => vec![who],
            Self::Block { from, to } | Self::Slow { from, to, .. } => vec![from, to],
            Self::Cut { a, b } | Self::Mend { a, b } | Self::Break { a, b } => vec![a, b],
            Self::Split { .. } | Self::MendAll => Vec::new(),
        }
    }
}
