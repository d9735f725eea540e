//! Two copies of one data folder that run on two machines of the same person.
//!
//! This is what `net` does about it: a peer keeps one link for each identity. Of two starts of one identity, the newer
//! one counts. When both meet the same peer, or two peers that have a link to each other, the older start learns within
//! about a second that it was superseded. All its links end, and it gets no new ones until it is stopped and started.

use std::time::Duration;

use super::{Happening, Violation, World};
use crate::disk::Disk as Store;
use crate::plan::{Action, Disk, Step};

/// How soon news of a newer start comes from a neighbour's neighbour.
const WORD: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));
/// How long a user takes to go from one machine to the other.
const WALK: Duration = Duration::from_secs(15);

const WHY: &str = "a copy of this peer was started later";

impl World {
    /// The two machines of the person whose folder is copied, if this run has that.
    fn copies(&self) -> Option<[usize; 2]> {
        self.setting.doubled.as_ref().map(|doubled| [doubled.who, self.setting.people])
    }

    /// The machine that runs a copy of what runs on this one, if there is one.
    fn other_copy(&self, who: usize) -> Option<usize> {
        let [one, other] = self.copies()?;
        let twin = if who == one { other } else { one };
        ([one, other].contains(&who) && self.is_linkable(twin)).then_some(twin)
    }

    /// Whether a peer runs there that can have links.
    pub(super) fn is_linkable(&self, who: usize) -> bool {
        self.machines[who].peer.is_some() && !self.machines[who].superseded
    }

    /// What the plan has for a person happens on one of their machines.
    pub(super) fn on_a_machine(&mut self, mut action: Action) -> Option<Action> {
        let Some(copies) = self.copies() else { return Some(action) };
        let runs = copies.map(|who| self.machines[who].peer.is_some());
        let starts = matches!(action, Action::Start { .. });
        for who in action.places() {
            if *who != copies[0] {
                continue;
            }
            *who = match runs {
                // Users do not start one copy while the other one runs. That they did so once is enough.
                [true, _] | [_, true] if starts => return None,
                _ if !self.machines[copies[1]].has_store() => copies[0],
                [true, false] if !starts => copies[0],
                [false, true] if !starts => copies[1],
                _ => *self.dice.pick(&copies),
            };
        }
        Some(action)
    }

    pub(super) fn go_on_with_copies(&mut self, step: Step) -> Result<(), Violation> {
        let Some(copies) = self.copies().filter(|_| !self.healed) else { return Ok(()) };
        self.note(|_| format!("-- {step:?}"));
        let running: Vec<usize> = copies.into_iter().filter(|&who| self.machines[who].peer.is_some()).collect();
        match (step, &running[..]) {
            (Step::Copy, _) => return self.copy_folder(copies),
            (Step::Stop, &[one, other]) => {
                let superseded = [one, other].into_iter().find(|&who| self.machines[who].superseded);
                let who = superseded.unwrap_or_else(|| *self.dice.pick(&[one, other]));
                self.stop(who)?;
            }
            (Step::Swap, &[one]) => {
                let other = copies[usize::from(one == copies[0])];
                self.stop(one)?;
                let at = self.now + self.dice.time(Duration::ZERO, WALK);
                self.schedule(at, Happening::Start(other));
            }
            (Step::Stop | Step::Swap, _) => {}
        }
        if self.dice.percent(65) {
            self.plan_copies(if running.len() == 2 && step == Step::Swap { Step::Stop } else { Step::Swap });
        }
        Ok(())
    }

    fn plan_copies(&mut self, step: Step) {
        let at = self.now + self.dice.time(Duration::ZERO, self.setting.storm / 3);
        self.schedule(at, Happening::Copies(step));
    }

    fn copy_folder(&mut self, copies: [usize; 2]) -> Result<(), Violation> {
        let [old, new] = copies;
        self.stop(old)?;
        let Some(copy) = self.machines[old].disk.as_ref().and_then(Store::copy) else { return Ok(()) };
        self.machines[old].lineage.fork();
        (self.machines[new].disk, self.machines[new].lineage) = (Some(copy), self.machines[old].lineage.clone());
        if self.setting.doubled.as_ref().is_some_and(|doubled| self.dice.percent(doubled.apart)) {
            let side = self.dice.any() & !(1 << old) | 1 << new;
            self.split(side);
        }
        for who in copies {
            let at = self.now + self.dice.time(Duration::ZERO, Duration::from_secs(3));
            self.schedule(at, Happening::Start(who));
        }
        self.schedule(self.now, Happening::Word);
        self.plan_copies(Step::Stop);
        Ok(())
    }

    /// A frame of `from` reaches `to`. If it is from one of two copies, the other one may have sent what this one knows nothing of.
    pub(super) fn note_copy(&mut self, from: usize, to: usize) {
        let lineage = &self.machines[from].lineage;
        if let Some(number) = lineage.process.filter(|_| lineage.forked && lineage.rolled_back) {
            let (process, clock) = (self.chronicle.processes[number].0, lineage.clock());
            self.machines[to].lineage.hear_copy(process, clock);
        }
    }

    /// Whether there are two copies of what runs or would run there.
    pub(super) fn is_one_of_two(&self, who: usize) -> bool {
        let copies = self.copies().filter(|copies| copies.contains(&who));
        copies.is_some_and(|[_, new]| new == who || self.machines[new].has_store())
    }

    /// In the end one copy goes on. If neither has links, one is started. A superseded one may run on beside it.
    pub(super) fn start_one_copy(&mut self) -> Result<(), Violation> {
        let Some(copies) = self.copies().filter(|&[_, new]| self.machines[new].has_store()) else { return Ok(()) };
        let is_gone = self.setting.gone == Some(copies[0]);
        if is_gone || copies.iter().any(|&who| self.is_linkable(who)) {
            return Ok(());
        }
        let who = *self.dice.pick(&copies);
        self.stop(who)?;
        self.start(who, Disk::Same)
    }

    fn stop(&mut self, who: usize) -> Result<(), Violation> {
        if self.dice.percent(50) && !self.is_stuck(who) {
            self.goodbye(who)?;
        }
        if self.machines[who].peer.is_some() {
            self.kill(who, "by its user");
        }
        Ok(())
    }

    /// `who` and `at` are to be linked, and one of them may be linked to the other copy of `who`. Then the older start
    /// is superseded. Returns whether the link may be made.
    pub(super) fn has_precedence(&mut self, who: usize, at: usize) -> Result<bool, Violation> {
        let Some(twin) = self.other_copy(who) else { return Ok(true) };
        if self.network.end(twin, at).is_none() && self.network.end(at, twin).is_none() {
            return Ok(true);
        }
        let is_newer = self.machines[who].started > self.machines[twin].started;
        self.supersede(if is_newer { twin } else { who })?;
        Ok(is_newer)
    }

    /// News of a newer start comes by way of peers that are linked to each other.
    pub(super) fn pass_word(&mut self) -> Result<(), Violation> {
        let Some([one, other]) = self.copies() else { return Ok(()) };
        if self.is_linkable(one) && self.is_linkable(other) && self.is_word_passed(one, other) {
            let is_newer = self.machines[one].started > self.machines[other].started;
            self.supersede(if is_newer { other } else { one })?;
        }
        let at = self.now + self.dice.time(WORD.0, WORD.1);
        self.schedule(at, Happening::Word);
        Ok(())
    }

    fn is_word_passed(&mut self, one: usize, other: usize) -> bool {
        let others = 0..self.machines.len();
        let mut pairs = others.clone().flat_map(|near| others.clone().map(move |far| (near, far)));
        pairs.any(|(near, far)| {
            let is_on = near == far || self.network.is_on(near, far);
            is_on && self.network.is_on(one, near) && self.network.is_on(far, other)
        })
    }

    /// The net ends all links of a peer whose copy was started later, and tells it.
    fn supersede(&mut self, who: usize) -> Result<(), Violation> {
        // A peer that cannot keep a turn takes nothing in. It learns of this when the news comes again.
        if self.is_stuck(who) {
            return Ok(());
        }
        self.note(|world| format!("{} is superseded", world.machines[who]));
        self.chronicle.tally.superseded += 1;
        self.machines[who].superseded = true;
        for end in self.network.ends_of(who) {
            self.link_down(end, WHY)?;
            self.network.close(self.now, end, WHY);
        }
        self.network.end_all(self.now, who);
        let now = self.machines[who].now(self.now);
        if let Some(peer) = &mut self.machines[who].peer {
            peer.handle_superseded(now);
        }
        self.perform(who)
    }
}
