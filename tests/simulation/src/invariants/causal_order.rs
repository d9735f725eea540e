//! *Causal order*, computed from the journals alone: if the send of m1 happened before the send of m2, and both are
//! addressed to a process, then that process does not deliver m2 before m1.
//!
//! Source: Lamport, "Time, clocks, and the ordering of events in a distributed system" (1978), for happened-before:
//! program order, and a send before its deliveries. Birman and Joseph (1987) for the order of deliveries. Across a
//! restart, program order goes on with the store.
//!
//! Exempt, as in the `trace` checker, are:
//!
//! - a message that is marked late, and an m1 that was given up;
//! - a pair m1, m2 with a message h between them that was given up here: m2 cannot know what h would have waited for.
//!
//! A process whose store was put back to a copy has the past of that copy. Exempt are:
//!
//! - what it said before it begins anew: it disowns that ([`Chronicle::twice`]), and what it says afterwards may go
//!   first;
//! - what it delivered before: until a peer that knows better is there, the others believe that it still has all of
//!   that, so what they tell it may go first.
//!
//! Two copies of a peer that both run are one process to the others until they meet. Exempt are:
//!
//! - as m1, a message that both copies have sent under one clock: a receiver has one or the other, and does not know
//!   which one it waits for. Of what happened before such a message, only what happened before both counts;
//! - as m1, a message that one copy has sent, if the receiver heard the other copy before that one had come so far. A peer
//!   that waits for m1 asks its author, and the other copy rightly answers that it has sent nothing under that clock. The
//!   same holds for a pair with such a message between them;
//! - what a copy disowns when it begins anew;
//! - what the other copy delivered under their common name, until this one begins anew;
//! - a pair m1, m2 with a message h between them that both copies have sent: a receiver may have the other h, and m2
//!   names only h. But if m2 is from the copy that has begun anew and disowned h, the pair counts;
//! - a copy that the others have been told to forget, until it hears that: each copy that begins anew makes the others
//!   forget the other copy, so they no longer name what is on its way to that one.
//!
//! A liar's envelope may lie about clocks that do exist (`docs/causal.md`). That can disorder what depends on it, so an
//! m2 with a liar's message in its past is exempt.

use chat::{Journal, MessageId};

use super::{Invariant, Scene, Verdict};
use crate::chronicle::{Chronicle, Sent};

pub(super) struct CausalOrder;

impl Invariant for CausalOrder {
    fn name(&self) -> &'static str {
        "causal order"
    }

    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let Journal::Deliver { id } = entry else { return Ok(()) };
        let Some(sent) = scene.chronicle.sent.get(id) else { return Ok(()) };
        if depends_on_a_liar(scene.chronicle, sent) {
            return Ok(());
        }
        for (author, &last) in sent.past.iter().enumerate() {
            let Some(inbox) = scene.chronicle.inbox.get(&(scene.process, author)) else { continue };
            for &clock in inbox.range(..=last).rev() {
                let earlier = MessageId { process: scene.chronicle.processes[author].0, clock };
                if !scene.lineage.delivered.contains(&earlier) && !is_exempt(scene, earlier, sent) {
                    let (earlier, later) = (scene.chronicle.name(earlier), scene.chronicle.name(*id));
                    return Err(format!("{later} is delivered before {earlier}, which happened before it"));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn depends_on_a_liar(chronicle: &Chronicle, sent: &Sent) -> bool {
    let past = sent.past.iter().enumerate().filter(|&(_, &clock)| clock > 0).map(|(author, _)| author);
    past.chain([sent.author]).any(|author| chronicle.liars.contains(&chronicle.processes[author].1))
}

fn is_exempt(scene: &Scene<'_>, earlier: MessageId, later: &Sent) -> bool {
    let Scene { chronicle, lineage, process, .. } = scene;
    if lineage.gave_up(earlier) || lineage.heard_another_copy(earlier) || chronicle.twice.contains(&earlier) {
        return true;
    }
    if chronicle.was_rolled_back_behind(lineage, earlier) {
        return true;
    }
    let Some(first) = chronicle.sent.get(&earlier) else { return true };
    let past_of = |past: &[u64], author: usize| past.get(author).copied().unwrap_or(0);
    if chronicle.is_behind_a_clock_used_twice(first, later) {
        return true;
    }
    if lineage.forked && chronicle.forgotten.contains(process) {
        return true;
    }
    lineage.passed_over().any(|(author, from, to)| {
        let between = chronicle.sent.range(id(author, from)..=id(author, to));
        between.filter(|(_, between)| between.dests.contains(process)).any(|(_, between)| {
            past_of(&between.past, first.author) >= first.clock && past_of(&later.past, between.author) >= between.clock
        })
    })
}

fn id(process: chat::ProcessId, clock: u64) -> MessageId {
    MessageId { process, clock }
}
