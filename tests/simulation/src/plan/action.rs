//! What is done to a peer or to the network, one thing at a time.

use std::time::Duration;

/// Where the effects of a turn end when a peer is killed (`chat::Effects`: durable, journal, frames, events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Nothing of the turn is kept.
    BeforeDurable,
    /// All is kept, and nobody knows: the trace has no line of it either.
    AfterDurable,
    /// So many hundredths of the frames are sent.
    BetweenFrames(usize),
    /// All is sent, and the user sees nothing.
    BeforeEvents,
}

/// With what a peer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// With all that was durable.
    Same,
    /// With nothing but its key.
    Lost,
    /// With what it had when a copy was made.
    Copy,
}

/// To whom a text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Everybody.
    All,
    /// A group.
    Group(&'static str),
    /// A person.
    Person(usize),
    /// Two people at once.
    People(usize, usize),
}

/// One thing that is done to a peer or to the network.
#[expect(missing_docs, reason = "who does what to whom: the fields say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A user writes so many texts in one turn.
    Say { who: usize, to: To, texts: usize, delay_ms: u64 },
    /// A user takes back one of the texts that have not gone out, or sends one now that was left unsent.
    Cancel { who: usize, nth: usize, resend: bool },
    /// A user creates a group.
    Create { who: usize, group: &'static str },
    /// A user joins one.
    Join { who: usize, group: &'static str },
    /// A user leaves one.
    Leave { who: usize, group: &'static str },
    /// A user gives a person a name of their choice.
    Alias { who: usize, whom: usize },
    /// A user forgets a person who is away, for everybody.
    Forget { who: usize, whom: usize },
    /// Nothing comes through from one to another.
    Block { from: usize, to: usize },
    /// Nothing comes through between two.
    Cut { a: usize, b: usize },
    /// Nothing comes through between those whose bits are set and the others.
    Split { side: u64 },
    /// All is well between two.
    Mend { a: usize, b: usize },
    /// All is well between all.
    MendAll,
    /// Each frame takes so long, one after the other.
    Slow { from: usize, to: usize, each: Duration },
    /// A link breaks, and can come back at once.
    Break { a: usize, b: usize },
    /// A peer is killed where its next effects reach that boundary.
    Crash { who: usize, at: Boundary },
    /// A peer leaves as it should.
    Goodbye { who: usize },
    /// A peer comes (back).
    Start { who: usize, disk: Disk },
    /// A copy of a peer's store is made.
    Copy { who: usize },
    /// A wall clock jumps.
    Jump { who: usize, seconds: i64 },
    /// A wall clock is put right.
    Right { who: usize },
    /// A disk is full for so long: nothing can be kept.
    Fill { who: usize, time: Duration },
}

impl Action {
    /// Who does it or whom it befalls, where that is a machine. Whom a text or a command names is not among them.
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
