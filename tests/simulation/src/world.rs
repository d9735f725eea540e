//! The world: people and their machines, the network between them, and the virtual clock. Everything happens in one
//! thread, one thing at a time, in an order that only the seed decides.

mod acting;
mod copies;
mod deletion;
mod ending;
mod full;
mod performing;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use chat::{Journal, LinkId, Message};

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use crate::invariants::{self, Scene, Verdict};
use crate::liar::Liar;
use crate::machine::Machine;
use crate::network::{Motion, Network, Path};
use crate::plan::{Action, Disk, LastStep, Setting, Step};
use words::in_words;

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The invariant that was broken.
    pub invariant: &'static str,
    /// How it was broken.
    pub what: String,
}

/// With more steps than this at one instant, time no longer passes.
const STANDSTILL: usize = 50_000;

/// A run.
pub struct World {
    setting: Setting,
    dice: Dice,
    now: Duration,
    machines: Vec<Machine>,
    network: Network,
    /// What is going to happen. The second number keeps the order of things that happen at the same time.
    agenda: BTreeMap<(Duration, u64), Happening>,
    scheduled: u64,
    /// How many peers have been started.
    starts: u64,
    chronicle: Chronicle,
    words: usize,
    steps_at_once: usize,
    /// What happened, in words, if the caller asked for that.
    notes: Option<Vec<String>>,
    keep_journals: bool,
    liar: Option<Liar>,
    /// The network has healed: nothing breaks any more.
    healed: bool,
}

#[derive(Clone, Debug)]
enum Happening {
    Motion(Motion),
    Act(Action),
    /// The next action of the plan.
    Draw,
    /// A disk that was full may have room again.
    Room(usize),
    /// A link that was full has room again.
    Ready(usize, LinkId),
    /// A step with the two copies of a data folder.
    Copies(Step),
    /// A person takes the next step in deleting the account.
    Delete(LastStep),
    /// A user starts a peer on this machine.
    Start(usize),
    /// Word of newer starts goes round.
    Word,
}

/// What is written down in addition to what is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// A line for each thing that happens.
    pub notes: bool,
    /// The journals.
    pub journals: bool,
}

impl World {
    /// The world of this seed, before anything has happened.
    pub fn new(seed: u64, keep: Keep) -> Self {
        let mut dice = Dice::new(seed);
        let setting = Setting::draw(seed, &mut dice);
        let mut machines: Vec<Machine> =
            setting.skews.iter().enumerate().map(|(person, &skew)| Machine::new(person, person, skew)).collect();
        machines.extend(setting.doubled.as_ref().map(|copy| Machine::new(setting.people, copy.who, copy.skew)));
        let most = setting.delay;
        let path = |dice: &mut Dice| {
            let high = dice.time(Duration::from_micros(200), most);
            Path { delay: (high / 4, high), each: Duration::ZERO, blocked: false }
        };
        let network = Network::new(machines.len(), setting.room, Dice::new(dice.any()), path);
        let mut chronicle = Chronicle::default();
        chronicle.history_first = setting.config.history_first;
        chronicle.liars.extend(setting.liar.map(|(who, _)| who));
        let everybody = || machines[..setting.people].iter().map(Machine::id).collect();
        let liar =
            setting.liar.map(|(_, habits)| Liar::new(habits, everybody(), setting.promises, Dice::new(dice.any())));
        let mut world = Self {
            dice,
            now: Duration::from_secs(1),
            machines,
            network,
            agenda: BTreeMap::new(),
            scheduled: 0,
            starts: 0,
            chronicle,
            words: 0,
            steps_at_once: 0,
            notes: keep.notes.then(Vec::new),
            keep_journals: keep.journals,
            healed: false,
            liar,
            setting,
        };
        world.people_come();
        world
    }

    /// Most people are there from the start. Some come in the middle.
    fn people_come(&mut self) {
        for who in 0..self.setting.people {
            let latest = if self.dice.percent(25) { self.setting.storm } else { Duration::from_millis(300) };
            let at = self.now + self.dice.time(Duration::ZERO, latest);
            self.schedule(at, Happening::Act(Action::Start { who, disk: Disk::Same }));
        }
        if let Some(righted) = self.setting.righted {
            for who in (0..self.setting.people).filter(|&who| self.setting.is_far(who)).collect::<Vec<_>>() {
                self.schedule(self.now + righted, Happening::Act(Action::Right { who }));
            }
        }
        if let Some(doubled) = &self.setting.doubled {
            self.schedule(self.now + doubled.at, Happening::Copies(Step::Copy));
        }
        if let Some(deletion) = &self.setting.deletion {
            self.schedule(self.now + deletion.at, Happening::Delete(LastStep::Leave));
        }
        self.draw_later();
    }

    fn draw_later(&mut self) {
        let at = self.now + self.dice.time(Duration::ZERO, self.setting.pace * 2);
        self.schedule(at, Happening::Draw);
    }

    fn schedule(&mut self, at: Duration, happening: Happening) {
        self.scheduled += 1;
        self.agenda.insert((at.max(self.now), self.scheduled), happening);
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn run(&mut self) -> Result<(), Violation> {
        let end = self.now + self.setting.storm;
        self.pass(end)?;
        self.heal()?;
        self.come_to_rest()
    }

    /// Lets everything happen that is due up to `end`.
    fn pass(&mut self, end: Duration) -> Result<(), Violation> {
        loop {
            for (at, motion) in self.network.take_motions() {
                self.schedule(at, Happening::Motion(motion));
            }
            let next = self.agenda.first_key_value().map(|(&(at, _), _)| at);
            let wakes = self.machines.iter().filter_map(|machine| Some((machine.wake?, machine.number)));
            let wake = wakes.min().map(|(at, who)| (at.max(self.now), who));
            let wake_first = wake.filter(|&(at, _)| next.is_none_or(|next| at < next));
            let at = wake_first.map(|(at, _)| at).or(next).filter(|&at| at <= end);
            let Some(at) = at else { break };
            if at > self.now {
                self.now = at;
                self.steps_at_once = 0;
            }
            self.steps_at_once += 1;
            if self.steps_at_once > STANDSTILL {
                return Err(self.standstill());
            }
            if let Some((_, who)) = wake_first {
                self.timeout(who)?;
            } else if let Some((_, happening)) = self.agenda.pop_first() {
                self.happen(happening)?;
            }
        }
        self.now = end;
        Ok(())
    }

    fn standstill(&self) -> Violation {
        let wakes = self.machines.iter().filter_map(|machine| {
            let (at, why) = machine.peer.as_ref()?.poll_timeout()?;
            (at <= self.now).then(|| format!("{machine}: {why}"))
        });
        let wakes: Vec<String> = wakes.collect();
        Violation {
            invariant: "time passes",
            what: format!("{STANDSTILL} things happened at {:?}; due: {}", self.now, wakes.join(", ")),
        }
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        match happening {
            Happening::Motion(motion) => match self.seen_at(motion) {
                Some(later) => {
                    self.schedule(later, Happening::Motion(motion));
                    Ok(())
                }
                None => self.moved(motion),
            },
            Happening::Act(action) => self.act(action),
            Happening::Draw if self.healed => Ok(()),
            Happening::Draw => {
                let action = self.setting.action(&mut self.dice);
                self.draw_later();
                self.on_a_machine(action).map_or(Ok(()), |action| self.act(action))
            }
            Happening::Room(who) => self.find_room(who),
            Happening::Ready(who, link) => self.ready(who, link),
            Happening::Delete(step) => self.go_on_with_deletion(step),
            Happening::Copies(step) => self.go_on_with_copies(step),
            Happening::Start(_) if self.healed => Ok(()),
            Happening::Start(who) => self.start(who, Disk::Same),
            Happening::Word => self.pass_word(),
        }
    }

    fn moved(&mut self, motion: Motion) -> Result<(), Violation> {
        match motion {
            Motion::Arrive(end) => self.arrive(end),
            Motion::Notice(end) => {
                if self.network.is_silent(self.now, end) {
                    self.link_down(end, "nothing came for 10 s")?;
                    self.network.close(self.now, end, "the other side heard nothing");
                }
                Ok(())
            }
            Motion::Down(end, reason) => {
                let owner = self.network.owner(end);
                self.link_down(end, reason)?;
                self.network.drop_end(end);
                if let Some((a, b)) = owner {
                    self.network.dial(self.now, a, b, self.healed);
                }
                Ok(())
            }
            Motion::Dial(a, b) => self.dial(a, b),
            // A superseded peer has no links any more. Those that were coming up do not reach it either.
            Motion::Up(end) if self.network.sender(end).is_some_and(|who| self.machines[who].superseded) => Ok(()),
            Motion::Up(end) => self.link_up(end),
        }
    }

    fn dial(&mut self, a: usize, b: usize) -> Result<(), Violation> {
        let alive = self.is_linkable(a) && self.is_linkable(b);
        if !self.network.can_connect(self.now, a, b) {
            if alive && (self.network.end(a, b).is_none() || self.network.end(b, a).is_none()) {
                self.network.dial(self.now, a, b, self.healed);
            }
            return Ok(());
        }
        if !alive {
            return Ok(());
        }
        if !self.has_precedence(a, b)? || !self.has_precedence(b, a)? {
            return Ok(());
        }
        for (me, other) in [(a, b), (b, a)] {
            if let Some(stale) = self.network.end(me, other) {
                self.link_down(stale, "replaced by a newer connection")?;
                self.network.drop_end(stale);
            }
        }
        if !self.is_linkable(a) || !self.is_linkable(b) {
            return Ok(());
        }
        let (mine, theirs) = self.network.connect(a, b);
        let later = self.now + self.network.path(a, b).delay.0;
        self.schedule(later, Happening::Motion(Motion::Up(theirs)));
        self.link_up(mine)
    }

    /// A line of a journal is checked, and then becomes part of what happened.
    fn journal(&mut self, who: usize, entry: Journal) -> Result<(), Violation> {
        if let Journal::Start { process, supersedes, .. } = &entry {
            let machine = &mut self.machines[who];
            self.chronicle.begin(*process, machine, supersedes.is_some());
            if let Some(liar) = self.liar.as_mut().filter(|_| self.chronicle.liars.contains(&machine.person)) {
                liar.begin(*process);
            }
        }
        self.note(|world| format!("{} {}", world.machines[who], in_words(&world.chronicle, who, &entry)));
        let about = match &entry {
            Journal::Deliver { id } | Journal::Late { id } => Some(*id),
            Journal::Start { .. }
            | Journal::Stop
            | Journal::Send { .. }
            | Journal::Hold { .. }
            | Journal::Abandon { .. }
            | Journal::Show { .. }
            | Journal::Forget { .. } => None,
        };
        if about.is_none_or(|id| !self.chronicle.twice.contains(&id)) {
            self.check(who, |invariant, scene| invariant.on_journal(scene, &entry))?;
        }
        let at = u64::try_from(self.now.as_micros()).expect("a few minutes");
        let machine = &mut self.machines[who];
        self.chronicle.note(&entry, machine, at);
        if self.keep_journals {
            let micros = machine.now(self.now).unix_micros;
            machine.journal.push((micros, entry));
        }
        Ok(())
    }

    /// A text is shown to a user.
    fn shown(&mut self, who: usize, message: &Message) -> Result<(), Violation> {
        self.note(|world| {
            let Message { id, text, fetched, late, .. } = message;
            let how = if *fetched { "is shown, as history," } else { "is shown" };
            let late = if *late { ", late" } else { "" };
            format!("{} {how} {} {:?}{late}", world.machines[who], world.chronicle.name(*id), &**text)
        });
        self.check(who, |invariant, scene| invariant.on_shown(scene, message))?;
        self.chronicle.note_shown(message, &mut self.machines[who].lineage);
        Ok(())
    }

    fn check(
        &self,
        who: usize,
        look: impl Fn(&dyn invariants::Invariant, &Scene<'_>) -> Verdict,
    ) -> Result<(), Violation> {
        let machine = &self.machines[who];
        let Some(process) = machine.lineage.process.filter(|_| !self.lies(who)) else { return Ok(()) };
        let process = self.chronicle.processes[process].0;
        let honest = self.machines.iter().filter(|machine| !self.lies(machine.number));
        let stores: Vec<_> = honest.filter(|machine| machine.has_store()).map(|machine| &machine.lineage).collect();
        let (chronicle, lineage, who, superseded) =
            (&self.chronicle, &machine.lineage, machine.person, machine.superseded);
        let scene = Scene { chronicle, lineage, who, process, stores: &stores, superseded };
        for invariant in invariants::ALL {
            let verdict = look(*invariant, &scene);
            verdict.map_err(|what| Violation { invariant: invariant.name(), what: format!("at {machine}: {what}") })?;
        }
        Ok(())
    }

    /// Whether the person who owns this machine lies.
    fn lies(&self, who: usize) -> bool {
        self.chronicle.liars.contains(&self.machines[who].person)
    }

    fn note(&mut self, what: impl FnOnce(&Self) -> String) {
        let line = self.notes.is_some().then(|| format!("{:>10.3?} {}", self.now, what(self)));
        if let Some(notes) = &mut self.notes {
            notes.extend(line);
        }
    }

    /// What happened, if it was written down.
    pub fn notes(&self) -> &[String] {
        self.notes.as_deref().unwrap_or_default()
    }

    /// The machines, with the journals of their peers if these were kept.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// What happened, for statistics.
    pub fn chronicle(&self) -> &Chronicle {
        &self.chronicle
    }

    /// The liar, if there is one.
    pub fn liar(&self) -> Option<&Liar> {
        self.liar.as_ref()
    }

    /// How the run was set up.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The virtual time.
    pub fn now(&self) -> Duration {
        self.now
    }

    fn owner(&self, end: LinkId) -> Option<usize> {
        self.network.owner(end).map(|(owner, _)| owner)
    }
}
