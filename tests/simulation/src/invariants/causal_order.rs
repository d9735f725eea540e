//! *Causal order*, computed from the journals alone: if the send of m1 happened before the send of m2, and both are addressed
//! to a process, then it does not deliver m2 before m1.
//!
//! Source: Lamport, "Time, clocks, and the ordering of events in a distributed system" (1978), for happened-before: program
//! order, and a send before its deliveries. Birman and Joseph (1987) for the order of deliveries. Exempt, as in DESIGN.md §7
//! and the `trace` checker: what is marked late; an m1 that was given up; and pairs m1, m2 with a message h between them that
//! was given up here, for what h would have waited for, m2 cannot know of. Across a restart program order goes on with the
//! store: a process whose store is a copy has the past of that copy, and disowns what it has said since the copy was put back once
//! it begins anew ([`Chronicle::twice`]): what it says then may go before that. Before anybody who knows better is there the others
//! hold it for one that has all that it ever delivered: what it is told then may go before that, too. And a liar's envelope may lie about clocks that do
//! exist (DESIGN.md §2), which can disorder what depends on it: an m2 with a liar's message in its past is exempt.

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
    if lineage.gave_up(earlier) || chronicle.twice.contains(&earlier) {
        return true;
    }
    if chronicle.was_rolled_back_behind(lineage, earlier) {
        return true;
    }
    let Some(first) = chronicle.sent.get(&earlier) else { return true };
    let past_of = |past: &[u64], author: usize| past.get(author).copied().unwrap_or(0);
    lineage.given_up.iter().any(|&(author, from, to)| {
        let between = chronicle.sent.range(id(author, from)..=id(author, to));
        between.filter(|(_, given_up)| given_up.dests.contains(process)).any(|(_, given_up)| {
            past_of(&given_up.past, first.author) >= first.clock
                && past_of(&later.past, given_up.author) >= given_up.clock
        })
    })
}

fn id(process: chat::ProcessId, clock: u64) -> MessageId {
    MessageId { process, clock }
}
