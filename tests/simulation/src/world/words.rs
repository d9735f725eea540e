//! A line of a journal in words, for people who read what happened.

use chat::Journal;

use crate::chronicle::Chronicle;

/// What the peer on a machine is about to write in its journal.
pub(super) fn in_words(chronicle: &Chronicle, who: usize, entry: &Journal) -> String {
    let names = |ids: &[chat::MessageId]| ids.iter().map(|id| chronicle.name(*id)).collect::<Vec<_>>().join(", ");
    match entry {
        Journal::Start { process, .. } => format!("begins as {}", chronicle.process_name(process)),
        Journal::Stop => "stops".to_owned(),
        Journal::Send { id, dests, group } => {
            let to: Vec<String> = dests.iter().map(|dest| chronicle.process_name(dest)).collect();
            let words = chronicle.being_written(*id, who).map(|text| format!(" {:?}", text.words)).unwrap_or_default();
            let group = group.as_deref().unwrap_or("-");
            format!("sends {}{words} to {} ({group})", chronicle.name(*id), to.join(" "))
        }
        Journal::Deliver { id } => format!("delivers {}", chronicle.name(*id)),
        Journal::Hold { id, missing } => format!("holds {}, which waits for {}", chronicle.name(*id), names(missing)),
        Journal::Abandon { first, upto } => format!("gives up {} to {upto}", chronicle.name(*first)),
        Journal::Late { id } => format!("delivers {} late", chronicle.name(*id)),
        Journal::Show { id, .. } => format!("shows {}", chronicle.name(*id)),
        Journal::Forget { process } => format!("forgets {}", chronicle.process_name(process)),
    }
}
