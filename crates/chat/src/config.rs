//! The limits and intervals of one peer, each with the reason for its default.

use std::time::Duration;

/// Limits and intervals. Sizes are in bytes unless the name says otherwise.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest text of one message. 64 KiB is a long letter; what is larger is a file, which a chat is not for.
    pub max_text: usize,
    /// How many messages may be held back at once, waiting for what they depend on: the windows of 8 peers that flood at
    /// once, some 20 MB. Past it a message is refused and asked for again later, unless others wait for it: as many again
    /// may be of these.
    pub max_held: usize,
    /// How many bytes of body the larger of the held messages may have together (4 KiB and up; smaller ones are bounded by
    /// their number). 256 MiB are four thousand of the longest texts.
    pub max_held_bytes: usize,
    /// How many welcomes of one member may wait for history at once: an honest one sends a few while a person joins. Past it one is
    /// refused, and its author pushes it again.
    pub max_waiting_welcomes: usize,
    /// How many messages may be on their way to one peer, sent and not acknowledged. Several times what is acknowledged at
    /// once, so that a flood never waits; and it bounds what a peer has to hold for each of the others.
    pub window: usize,
    /// How many processes may be known: people, their earlier incarnations included. A mesh of 450 peers that each
    /// restart a few times fits.
    pub max_processes: usize,
    /// How many bytes of one's own messages may wait for acknowledgements. 256 MiB keeps a minute of the fastest flood
    /// for somebody who does not read; a user never gets there by typing.
    pub max_outbox: usize,
    /// How many messages are signed as one batch. 64 hashes of 32 bytes are the longest proof handed on, 2 KiB, and a
    /// mask of a batch fits a machine word.
    pub max_batch: usize,
    /// How many body bytes go into one batch, so that a frame stays well below what a link accepts.
    pub max_batch_bytes: usize,
    /// How long after a link came up nothing new is pulled of authors who are not linked: where one link comes up others follow,
    /// and each author that comes with them pushes what he wrote himself.
    pub pull_after: Duration,
    /// From when on an envelope that a destination has not acknowledged is left with others for him: a link that is slow is not
    /// broken yet, and its author may die before it is.
    pub carry_after: Duration,
    /// How many parcels may be carried for others. A few people who are away for a week and get some hundred direct messages
    /// a day each; past it none is taken, and the author's own copy has to do.
    pub max_carried: usize,
    /// How many bytes they may take together.
    pub max_carried_bytes: usize,
    /// How many of them, and of the bytes, one author may have, as one part in so many: nobody fills everything alone.
    pub carried_share: usize,
    /// How many messages a request shows by default.
    pub history_shown: usize,
    /// How many messages a search shows by default: a screen of them.
    pub search_shown: usize,
    /// How many messages are looked through for the last ones that this user wrote, or for one by its author and number.
    pub max_looked_through: usize,
    /// How long a message may be on its way to somebody reachable before its author is told: longer than a slow link and
    /// an acknowledgement take, and about as long as it takes to wonder.
    pub spread_notice: Duration,
    /// How many messages are watched for that at once. Who has more on their way floods, and wants no notices.
    pub max_watched: usize,
    /// How many texts on their way are watched, and listed, until they are with those who are here: as many as a user sees at once
    /// in a long conversation. Of a flood the oldest are watched.
    pub max_undelivered: usize,
    /// How many unread messages of one conversation are counted: nobody reads more than that one by one.
    pub max_unread: usize,
    /// How many messages of a conversation a newcomer fetches before he is shown what comes next.
    pub history_first: usize,
    /// How many of the messages written since the start are looked for when they have to be sent again: after it turned out that
    /// the store was rolled back, that a copy of this peer runs, or that the others have forgotten it. The first of these turns out at
    /// the first link; nobody types more before.
    pub max_resent: usize,
    /// The size of one piece of history or of handed-on messages, so that live messages get their turn in between.
    pub max_piece_bytes: usize,
    /// How many messages one piece may hold, or little more, as its batches go whole: short ones fill some 256 KiB. Each batch counts for
    /// eight more, so that checking a piece takes some 10 ms. Beyond 4,032 it counts as that: nobody accepts more.
    pub max_piece: usize,
    /// How many requests of one link may wait for their answers. A peer that returns asks for what each of a few hundred authors
    /// said who are away, and for what is missing of others.
    pub max_requests: usize,
    /// How many bytes they may take together: those for history name what each author has said that is here.
    pub max_request_bytes: usize,
    /// How many of them are answered without a pause: a hundred thousand messages are some fifty pieces, or four hundred if
    /// each was signed by itself.
    pub answers_at_once: u32,
    /// How often one is answered once that is used up. A piece is 10 ms of work at most, so a link takes a third of one core,
    /// whatever comes over it.
    pub answer_every: Duration,
    /// How long a message is held before the user is told: an eye-blink.
    pub held_notice: Duration,
    /// How many held messages the user is told of at a time: as many lines as one can read before the next ones come. All that is
    /// held can be asked for ([`Command::Pending`](crate::Command::Pending)).
    pub max_told_held: usize,
    /// How long something may be missing before it is asked for: a slow link is more likely than a lost message.
    pub ask_after: Duration,
    /// How long something may be missing before it is given up.
    pub abandon_after: Duration,
    /// The longest `-delay`: an hour. What has to wait for longer is for a calendar.
    pub max_delay: Duration,
    /// The longest `-delay` of a text that is stamped when it is written, so that others wait for it: long enough to watch that.
    /// A longer one is scheduled: it is stamped when it goes out, and nobody waits for it.
    pub max_stamped_delay: Duration,
    /// How much longer than [`abandon_after`](Self::abandon_after) a message is waited for that its author promises, whatever time the
    /// author names: as long as an honest author can promise one.
    pub max_promise: Duration,
    /// How many texts may be scheduled at once: more than anybody keeps in mind, and 16 MiB of the longest.
    pub max_scheduled: usize,
    /// How long after the start a scheduled text goes out that was due before: by then those who are there have said whether
    /// this store was put back from a copy, and the text may have been sent.
    pub overdue_after: Duration,
    /// How soon after a delivery its author learns of it, at the latest.
    pub acknowledge_after: Duration,
    /// How many deliveries of one author are acknowledged at once: his outbox empties while he floods.
    pub acknowledge_every: u32,
    /// How often what changed of the have-vector goes to everybody.
    pub heartbeat: Duration,
    /// How often the whole have-vector goes to everybody, in case something went astray.
    pub whole_vector: Duration,
    /// After how long, during which this peer was among others and saw nothing of a process, it forgets that process. A month
    /// is longer than a holiday; and whoever returns later loses nothing but a little time.
    pub forget_after: Duration,
    /// How long nothing old may have come before a peer that returned has caught up: the pauses of a slow link are shorter.
    pub caught_up_after: Duration,
    /// From how many missing messages on a returning user is told how it goes: fewer are there before he has read that.
    pub told_of_missing: u64,
    /// How much older than the newest of its conversation a message is when it is marked as late, so that it is not
    /// missed among those that are read already: more than people who write at once are apart.
    pub late_after: Duration,
    /// How soon this peer believes again that it was forgotten. Nobody honest says so twice in a row.
    pub rebirth_interval: Duration,
    /// How far the time of an author may be from mine before it is marked as one that is off: more than any time zone that was set
    /// wrong. (And how far ahead a stamp may be that is followed once a liar has used up the count of stamps.)
    pub max_clock_ahead: Duration,
    /// How many groups one person may be in; their names stand in the record that everybody keeps.
    pub max_groups: usize,
    /// How many people one message may be addressed to by their names. It carries a sealed key for each of them.
    pub max_addressees: usize,
    /// How many conversations among several people a welcome speaks of, those with the newest messages: a newcomer's friends
    /// can begin any number of them.
    pub max_welcomed: usize,
    /// How many aliases this user may keep.
    pub max_aliases: usize,
    /// How many addresses of each person are remembered, so that `@bob@ADDRESS` means bob wherever they were: the 32 of a
    /// record, and as many earlier ones.
    pub max_known_addresses: usize,
    /// How soon after a user was told that a person is shown in another way they are told so again of this person: a name that was
    /// mistyped is corrected within it, and a program that changes its name all the time fills nobody's screen.
    pub renamed_notice: Duration,
    /// How long another person's claim to my name has to stand before I am asked for another name: the answer of a newcomer who
    /// learns that the name is taken is here by then.
    pub clash_notice: Duration,
    /// How many messages to addresses may wait for a connection.
    pub max_waiting_for_address: usize,
    /// Whether [`crate::Journal`] entries are wanted (a trace is being written).
    pub journal: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_text: 64 * 1024,
            max_held: 65_536,
            max_held_bytes: 256 * 1024 * 1024,
            max_waiting_welcomes: 16,
            window: 8192,
            max_processes: 4096,
            max_outbox: 256 * 1024 * 1024,
            max_batch: 64,
            max_batch_bytes: 256 * 1024,
            pull_after: Duration::from_millis(250),
            carry_after: Duration::from_secs(5),
            max_carried: 16_384,
            max_carried_bytes: 64 * 1024 * 1024,
            carried_share: 4,
            history_shown: 5,
            search_shown: 20,
            max_looked_through: 20_000,
            spread_notice: Duration::from_secs(1),
            max_watched: 32,
            max_undelivered: 256,
            max_unread: 1000,
            history_first: 200,
            max_resent: 1000,
            max_piece_bytes: 256 * 1024,
            max_piece: 2048,
            max_requests: 2048,
            max_request_bytes: 4 * 1024 * 1024,
            answers_at_once: 512,
            answer_every: Duration::from_millis(30),
            held_notice: Duration::from_millis(100),
            max_told_held: 9,
            ask_after: Duration::from_secs(2),
            abandon_after: Duration::from_secs(30),
            max_delay: Duration::from_secs(3600),
            max_stamped_delay: Duration::from_secs(30),
            max_promise: Duration::from_secs(30),
            max_scheduled: 256,
            overdue_after: Duration::from_secs(5),
            acknowledge_after: Duration::from_millis(200),
            acknowledge_every: 256,
            heartbeat: Duration::from_secs(3),
            whole_vector: Duration::from_secs(30),
            forget_after: Duration::from_secs(30 * 24 * 3600),
            caught_up_after: Duration::from_secs(1),
            told_of_missing: 200,
            late_after: Duration::from_secs(60),
            rebirth_interval: Duration::from_secs(600),
            max_clock_ahead: Duration::from_secs(24 * 3600),
            max_groups: 256,
            max_addressees: 16,
            max_welcomed: 64,
            max_aliases: 1024,
            max_known_addresses: 64,
            renamed_notice: Duration::from_secs(10),
            clash_notice: Duration::from_secs(3),
            max_waiting_for_address: 64,
            journal: false,
        }
    }
}
