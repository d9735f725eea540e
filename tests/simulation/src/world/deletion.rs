//! A person deletes the account, in the steps that a running peer takes.

use chat::Command;

use super::{Happening, Violation, World};
use crate::plan::{Deletion, LastStep};

impl World {
    /// Whether the user of this peer has asked it to delete the account. Then it takes nothing more from them.
    pub(super) fn is_being_deleted(&self, who: usize) -> bool {
        self.machines[who].last_start == Some(self.machines[who].started)
    }

    pub(super) fn go_on_with_deletion(&mut self, step: LastStep) -> Result<(), Violation> {
        let Some(Deletion { who, each, .. }) = self.setting.deletion else { return Ok(()) };
        if self.machines[who].peer.is_none() || self.is_being_deleted(who) == (step == LastStep::Leave) {
            return Ok(());
        }
        self.note(|world| format!("-- {}: {step:?} for good", world.machines[who]));
        let is_stuck = self.is_stuck(who);
        let machine = &mut self.machines[who];
        let now = machine.now(self.now);
        let (Some(peer), name) = (&mut machine.peer, machine.name.to_string()) else { return Ok(()) };
        let next = match step {
            LastStep::Leave => {
                // A peer that can keep nothing refuses.
                if is_stuck || peer.handle_command(now, Command::DeleteAccount { name }).is_err() {
                    return Ok(());
                }
                peer.handle_leaving_for_good(now);
                machine.last_start = Some(machine.started);
                LastStep::Tell
            }
            LastStep::Tell => {
                if !is_stuck {
                    peer.handle_deletion(now);
                }
                LastStep::Go
            }
            LastStep::Go => {
                if is_stuck {
                    self.end_process(who);
                } else {
                    self.goodbye(who)?;
                }
                self.chronicle.tally.deleted += 1;
                self.machines[who].disk = None;
                return Ok(());
            }
        };
        self.schedule(self.now + each, Happening::Delete(next));
        if is_stuck { Ok(()) } else { self.perform(who) }
    }
}
