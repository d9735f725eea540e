//! The end of a run: the network heals, all people come back, and after some time everything is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chat::{Answer, Command, MessageId, Target};

use super::{Violation, World};
use crate::chronicle::{Place, TextNumber};
use crate::invariants::{self, Rest, Running, Standing};
use crate::machine::Machine;
use crate::plan::{Disk, To};

/// How much time there is after everything has healed. Something may be missing for 30 s before it is given up, a
/// delayed message is due within 20 s, what was given up is looked for every 30 s, and one of these may wait for
/// another.
const PATIENCE: Duration = Duration::from_secs(240);
/// How often to check whether everything is as it should be already.
const LOOK: Duration = Duration::from_secs(6);

impl World {
    pub(super) fn heal(&mut self) -> Result<(), Violation> {
        self.note(|_| "-- everything heals".to_owned());
        self.healed = true;
        self.look_at_histories()?;
        self.mend_all();
        for who in 0..self.machines.len() {
            (self.machines[who].doomed, self.machines[who].full_until) = (None, None);
            self.find_room(who)?;
            let gone = self.setting.gone == Some(self.machines[who].person) || self.lies(who);
            if self.machines[who].peer.is_none() && !gone && !self.is_one_of_two(who) {
                self.start(who, Disk::Same)?;
            }
        }
        self.start_one_copy()?;
        if let Some((liar, _)) = self.setting.liar {
            self.end_process(liar);
        }
        Ok(())
    }

    /// All people who are there look at the history, in whatever state the network is.
    fn look_at_histories(&mut self) -> Result<(), Violation> {
        for who in (0..self.machines.len()).filter(|&who| !self.lies(who)).collect::<Vec<_>>() {
            let history = self.history(who, None);
            for invariant in invariants::ALL {
                let verdict = invariant.on_history(&self.chronicle, self.machines[who].person, &history);
                verdict.map_err(|what| Violation { invariant: invariant.name(), what })?;
            }
        }
        Ok(())
    }

    pub(super) fn come_to_rest(&mut self) -> Result<(), Violation> {
        let healed = self.now;
        self.pass(healed + LOOK)?;
        let mut probes = Vec::new();
        for who in 0..self.machines.len() {
            probes.extend(self.say(who, &To::All, 0));
            self.perform(who)?;
        }
        loop {
            self.pass(self.now + LOOK)?;
            match self.stand(&probes) {
                Ok(()) => return Ok(()),
                Err(violation) if self.now >= healed + PATIENCE => return Err(violation),
                Err(_) => {}
            }
        }
    }

    fn stand(&mut self, probes: &[MessageId]) -> Result<(), Violation> {
        let runs = |&who: &usize| !self.lies(who) && self.machines[who].peer.is_some();
        let honest: Vec<usize> = (0..self.machines.len()).filter(runs).collect();
        let machines = honest.iter().map(|&who| (who, self.running(who))).collect();
        let linkable: Vec<usize> = honest.into_iter().filter(|&who| self.is_linkable(who)).collect();
        let standing = |who: usize| Some((self.machines[who].person, self.standing(who)?));
        let people: BTreeMap<usize, Standing> = linkable.into_iter().filter_map(standing).collect();
        let chronicle = &self.chronicle;
        let rest = Rest { chronicle, people, machines, everybody: self.setting.people, probes: probes.to_vec() };
        for invariant in invariants::ALL {
            let verdict = invariant.at_rest(&rest);
            verdict.map_err(|what| Violation { invariant: invariant.name(), what })?;
        }
        Ok(())
    }

    fn running(&mut self, who: usize) -> Running {
        let waiting =
            self.waiting(who).into_iter().map(|text| (text.text.to_string(), text.due_at.is_some())).collect();
        let Machine { person, started, superseded, lineage, .. } = &self.machines[who];
        let (person, started, superseded, lineage) = (*person, *started, *superseded, lineage.clone());
        Running { person, started, superseded, lineage, waiting }
    }

    fn standing(&mut self, who: usize) -> Option<Standing> {
        let (person, lineage) = (self.machines[who].person, self.machines[who].lineage.clone());
        let mut histories = BTreeMap::from([(Place::All, self.history(who, Some(Target::All)))]);
        for group in lineage.groups.keys() {
            histories.insert(Place::Group(group.clone()), self.history(who, Some(Target::Name(group.clone()))));
        }
        for other in (0..self.setting.people).filter(|&other| other != person) {
            let one = Some(Target::Name(self.key_of(other)));
            histories.insert(Place::Among([person, other].into()), self.history(who, one));
            for third in (0..other).filter(|&third| third != person) {
                let people = Target::People([other, third].map(|person| self.key_of(person)).into());
                histories.insert(Place::Among([person, other, third].into()), self.history(who, Some(people)));
            }
        }
        let process = self.machines[who].peer.as_ref()?.process();
        let Answer::Users { users } = self.ask(who, Command::ListUsers)? else { return None };
        let Answer::Groups { groups } = self.ask(who, Command::ListGroups)? else { return None };
        let Answer::Pending { held, waiting, unacknowledged, .. } = self.ask(who, Command::Pending)? else {
            return None;
        };
        let name = |label: &String| {
            let user = users.iter().find(|user| user.who.label == *label);
            user.map_or_else(|| label.clone(), |user| user.who.name.clone())
        };
        let members = |members: &[String]| members.iter().map(name).collect::<BTreeSet<String>>();
        Some(Standing {
            process,
            groups: groups.iter().map(|group| (group.name.clone(), members(&group.members))).collect(),
            users: users.iter().map(|user| (user.who.person, (user.who.name.clone(), user.present))).collect(),
            name: self.machines[who].name.to_string(),
            held: held
                .into_iter()
                .map(|held| (held.id, held.missing.into_iter().map(|(id, _)| id).collect(), held.fetching))
                .collect(),
            waiting: waiting.into_iter().map(|text| (text.text.to_string(), text.due_at.is_some())).collect(),
            unacknowledged,
            kept_in_vain: self.machines[who].peer.as_mut()?.store_mut().in_vain(),
            lineage,
            everything: self.history(who, None),
            histories,
        })
    }

    /// A person, as a user who may never have heard their name would write them.
    fn key_of(&self, person: usize) -> String {
        let machine = self.machines.iter().find(|machine| machine.person == person);
        machine.expect("each person has a machine").identity.person().to_string()
    }

    /// What a machine's user reads of one conversation, or of all of them.
    fn history(&mut self, who: usize, of: Option<Target>) -> Vec<TextNumber> {
        let Some(Answer::History { messages, .. }) =
            self.ask(who, Command::History { of, count: Some(10_000), before: None, after: None })
        else {
            return Vec::new();
        };
        // A liar may have sent different texts to different peers.
        let chronicle = &self.chronicle;
        let sure = messages.iter().filter(|message| !chronicle.is_liars(&message.id.process));
        sure.filter_map(|message| chronicle.text_shown(message)).collect()
    }

    pub(super) fn ask(&mut self, who: usize, command: Command) -> Option<Answer> {
        let now = self.machines[who].now(self.now);
        self.machines[who].peer.as_mut()?.handle_command(now, command).ok()
    }
}
