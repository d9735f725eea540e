//! *Exactly once*: an id is sent once, and a message is delivered at most once here and shown at most once here, restarts
//! included; what comes late had been given up.
//!
//! Source: Cachin, Guerraoui, Rodrigues (2011), property BEB2 "no duplication"; DESIGN.md §2 ("duplicates must be dropped")
//! and §3 ("without reusing a clock … and without delivering one twice"). *Here* is one store: who lost his, or went back to
//! an older copy, is shown again what the copy lacks; and until somebody who knows better tells him, he numbers what he says as he did
//! before (DESIGN.md §3: "only my own signature proves that"). Whoever makes up clocks of his own may have what he said with true ones
//! called late.

use chat::{Journal, Message};

use super::{Invariant, Scene, Verdict};

pub(super) struct ExactlyOnce;

impl Invariant for ExactlyOnce {
    fn name(&self) -> &'static str {
        "exactly once"
    }

    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let Scene { chronicle, lineage, .. } = scene;
        match entry {
            Journal::Send { id, .. } if chronicle.sent.contains_key(id) && !lineage.rolled_back => {
                Err(format!("{} is the number of two messages", chronicle.name(*id)))
            }
            Journal::Deliver { id } | Journal::Late { id } if lineage.delivered.contains(id) => {
                Err(format!("{} is delivered twice", chronicle.name(*id)))
            }
            Journal::Late { id } if !lineage.calls_late(*id) && !chronicle.is_liars(&id.process) => {
                Err(format!("{} is late, and was never given up", chronicle.name(*id)))
            }
            Journal::Start { .. }
            | Journal::Stop
            | Journal::Send { .. }
            | Journal::Deliver { .. }
            | Journal::Hold { .. }
            | Journal::Abandon { .. }
            | Journal::Late { .. }
            | Journal::Show { .. }
            | Journal::Forget { .. } => Ok(()),
        }
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let text = scene.chronicle.text_number(message.id);
        if text.is_some_and(|text| scene.lineage.shown.contains(&text)) {
            return Err(format!("{} is shown twice", scene.chronicle.name(message.id)));
        }
        Ok(())
    }
}
