//! A peer whose store keeps nothing at the moment: it answers questions, and refuses or puts off everything else.
//!
//! A turn whose changes were not kept has promised nothing yet. If a user asked for it, it is undone and refused. If it
//! came from other peers or from a timer, it waits and is tried again. In both cases, incoming frames wait on their
//! links, which stay up.

use std::fs;

use bytes::Bytes;
use chat::{Answer, Command, Effects, Now, Refusal, Store as _, StoreError};
use tokio::time::{Duration, Instant};

use crate::problems::Problem;
use crate::run::{AnswerTo, Node};
use crate::session::Request;

/// How often a store that could not keep a turn is tried again.
const ROOM: Duration = Duration::from_secs(1);

/// What a turn did that could not be kept, and why.
pub(crate) struct Stuck {
    pub(crate) effects: Effects,
    pub(crate) lines: Bytes,
    pub(crate) reason: String,
    /// When the store is tried again, whatever happens before.
    pub(crate) again: Instant,
}

/// An answer that is given once its effects have been carried out.
pub(crate) struct Owed {
    pub(crate) to: AnswerTo,
    pub(crate) answered: Result<Answer, Refusal>,
    /// The command, if it changes nothing that is kept.
    pub(crate) question: Option<Command>,
}

impl Owed {
    pub(crate) fn give(self) {
        // The asker may have gone away.
        let _ = self.to.send(self.answered);
    }
}

impl Node {
    /// The store did not keep what the present turn did.
    pub(crate) fn get_stuck(
        &mut self,
        now: Now,
        mut effects: Effects,
        mut lines: Bytes,
        reason: String,
    ) -> Result<(), StoreError> {
        let is_a_users = self.owed.iter().any(|owed| owed.question.is_none());
        if is_a_users {
            self.peer.revert(now, &effects)?;
            self.done.clear();
            (effects, lines) = self.take_effects(now);
        }
        for owed in std::mem::take(&mut self.owed) {
            let owed = match owed.question {
                None => Owed { answered: Err(Refusal::NotKept { reason: reason.clone() }), ..owed },
                Some(command) if is_a_users && command != Command::Health => {
                    Owed { answered: self.peer.handle_command(now, command), to: owed.to, question: None }
                }
                question @ Some(_) => Owed { question, ..owed },
            };
            self.give(owed);
        }
        self.stuck = Some(Stuck { effects, lines, reason, again: Instant::now() + ROOM });
        Ok(())
    }

    /// Why nothing can be done at the moment, if that is so.
    pub(crate) fn why_refused(&self) -> Option<String> {
        self.stuck.as_ref().map(|stuck| stuck.reason.clone()).or_else(|| self.far.log_full.borrow().clone())
    }

    /// Notices a store that was taken away while nothing was written to it.
    pub(crate) fn look_at_store(&mut self) -> Result<(), StoreError> {
        match self.peer.store_mut().apply(&[]) {
            Ok(()) => {
                self.look_for_namesake();
                Ok(())
            }
            Err(StoreError::NotKept { reason }) => {
                self.stay_stuck(Effects::default(), Bytes::new(), reason.clone());
                self.raise(Problem::NotKept { reason });
                Ok(())
            }
            Err(lost @ StoreError::Unreadable { .. }) => Err(lost),
        }
    }

    /// Copied machines share their name. With `--name @host` their peers do so too.
    fn look_for_namesake(&mut self) {
        let name = self.peer.who().name.clone();
        let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let namesake = self.peer.namesake().filter(|_| machine.trim().eq_ignore_ascii_case(&name));
        let address = namesake.map(|who| who.address.unwrap_or_default());
        let problem = Problem::SameMachineName { name, address: address.clone().unwrap_or_default() };
        if address.is_some() { self.raise(problem) } else { self.solve(&problem) }
    }

    /// The user interface in this process says whether it can write what happens.
    pub(crate) fn log_is_full(&mut self) {
        let reason = self.far.log_full.borrow_and_update().clone();
        match reason {
            Some(reason) => self.raise(Problem::LogFull { reason }),
            None => self.solve(&Problem::LogFull { reason: String::new() }),
        }
    }

    /// The store does not keep it this time either.
    pub(crate) fn stay_stuck(&mut self, effects: Effects, lines: Bytes, reason: String) {
        self.stuck = Some(Stuck { effects, lines, reason, again: Instant::now() + ROOM });
    }

    /// Answers a command at once, from what the peer knows. Refuses it if something would have to be kept.
    pub(crate) fn answer_while_stuck(&mut self, now: Now, request: Request, reason: String) {
        let Request { command, answer, .. } = request;
        if command == Command::Health {
            return self.check(answer);
        }
        if command == Command::Diagram {
            return self.draw(answer);
        }
        let answered = if command.changes_state() {
            Err(Refusal::NotKept { reason })
        } else if let Command::Connect { address } = command {
            self.connect(address)
        } else {
            self.peer.handle_command(now, command)
        };
        self.give(Owed { to: answer, answered, question: None });
    }
}
