//! The list of problems outside of the program that keep this peer from working as it should at the moment.
//!
//! Each problem is told once when it appears and once when it is solved. A question about the health of the peer is
//! answered with the present list.

use chat::PersonId;

/// One problem.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    /// Peers cannot find or reach each other.
    Links(net::Problem),
    /// Another peer that is here uses the name of this machine.
    SameMachineName {
        /// The name.
        name: String,
        /// Where the other one is.
        address: String,
    },
    /// The store keeps nothing at the moment.
    NotKept {
        /// What failed, and what to do.
        reason: String,
    },
    /// A copy of this peer was started later and is running. While it runs, this one says nothing more.
    Superseded,
    /// The user interface in this process cannot write what happens.
    LogFull {
        /// What failed, and what to do.
        reason: String,
    },
}

impl Problem {
    fn kind(&self) -> &'static str {
        match self {
            Self::Links(problem) => problem.kind(),
            Self::SameMachineName { .. } => "same_machine_name",
            Self::NotKept { .. } => "not_kept",
            Self::Superseded => "superseded",
            Self::LogFull { .. } => "log_full",
        }
    }

    /// The person that it is about.
    fn person(&self) -> Option<PersonId> {
        if let Self::Links(problem) = self { problem.peer().map(PersonId::new) } else { None }
    }

    /// How to name the person that it is about. If this peer never met them, only their key is known.
    fn subject(&self, name_of: impl Fn(PersonId) -> Option<String>) -> Option<String> {
        let person = self.person()?;
        Some(name_of(person).unwrap_or_else(|| format!("a peer ({})", person.fingerprint())))
    }

    fn told(&self, name_of: impl Fn(PersonId) -> Option<String>) -> chat::Problem {
        let name = self.subject(name_of);
        let text = match (self, name) {
            (Self::Links(problem), Some(name)) => problem.told_of(&name),
            (Self::Links(problem), None) => problem.to_string(),
            (Self::SameMachineName { name, address }, _) => format!(
                "the peer at {address} goes by the name of this machine, {name:?}: give one of the machines another name \
                 (`hostnamectl set-hostname`), or this peer one with --name"
            ),
            (Self::NotKept { reason }, _) => {
                format!("nothing can be kept, so messages are refused and nothing new is shown until it can: {reason}")
            }
            (Self::Superseded, _) => "another copy of this peer was started later and is running, so this one sends nothing more. What it \
                 could not send is kept: -pending lists it. Go on there and stop this one; or stop the other one, and start this \
                 one again. For a second device, start a peer with a data folder of its own"
                .to_owned(),
            (Self::LogFull { reason }, _) => {
                format!(
                    "the log cannot be written, so messages are refused and nothing new is shown until it can: {reason}"
                )
            }
        };
        chat::Problem { kind: self.kind().to_owned(), text }
    }

    fn solved(&self, name_of: impl Fn(PersonId) -> Option<String>) -> chat::Problem {
        let text = match (self, self.subject(name_of)) {
            (Self::Links(_), Some(name)) => format!("{name} is no longer unreachable"),
            (Self::Links(problem), None) => problem.solved(),
            (Self::SameMachineName { name, .. }, _) => format!("no other peer here is called {name:?} any more"),
            (Self::NotKept { .. }, _) => "everything is kept, sent and shown again".to_owned(),
            (Self::LogFull { .. }, _) => "the log is written again".to_owned(),
            (Self::Superseded, _) => unreachable!("a peer that was superseded stays so"),
        };
        chat::Problem { kind: self.kind().to_owned(), text }
    }

    fn is_the_same(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.person() == other.person()
    }
}

/// The present problems, in the order in which they appeared.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem, or updates it. Returns what to tell if it is new.
    pub(crate) fn raise(
        &mut self,
        problem: Problem,
        name_of: impl Fn(PersonId) -> Option<String>,
    ) -> Option<chat::Problem> {
        if let Some(known) = self.0.iter_mut().find(|known| known.is_the_same(&problem)) {
            *known = problem;
            return None;
        }
        let told = problem.told(name_of);
        tracing::info!(kind = told.kind, "{}", told.text);
        self.0.push(problem);
        Some(told)
    }

    /// Removes a problem. Returns what to tell if it was there.
    pub(crate) fn solve(
        &mut self,
        problem: &Problem,
        name_of: impl Fn(PersonId) -> Option<String>,
    ) -> Option<chat::Problem> {
        let at = self.0.iter().position(|known| known.is_the_same(problem))?;
        let told = self.0.remove(at).solved(name_of);
        tracing::info!(kind = told.kind, "{}", told.text);
        Some(told)
    }

    pub(crate) fn told(&self, name_of: impl Fn(PersonId) -> Option<String>) -> Vec<chat::Problem> {
        self.0.iter().map(|problem| problem.told(&name_of)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_once_when_it_appears_and_once_when_it_is_solved() {
        let nobody = |_| None;
        let mut problems = Problems::default();
        let full = |reason: &str| Problem::NotKept { reason: reason.to_owned() };
        let of = |person: u8| {
            let address = "192.0.2.1:4100".parse().unwrap();
            Problem::Links(net::Problem::Unreachable { peer: [person; 32], address, port: 4200 })
        };
        assert!(problems.raise(full("the disk is full"), nobody).unwrap().text.contains("the disk is full"));
        assert_eq!(problems.raise(full("the disk is still full"), nobody), None);
        assert_eq!(problems.told(nobody)[0].kind, "not_kept");
        assert!(problems.told(nobody)[0].text.contains("still"));
        let bob = |_| Some("bob".to_owned());
        let told = problems.raise(of(1), bob).unwrap().text;
        assert!(
            ["bob", "192.0.2.1:4100", "TCP port 4100", "TCP port 4200"].iter().all(|word| told.contains(word)),
            "{told}"
        );
        let told = problems.raise(of(2), nobody).expect("it is about another person").text;
        assert!(told.starts_with("a peer (") && told.len() < 200, "never a whole key: {told}");
        assert!(problems.solve(&of(1), bob).is_some());
        assert_eq!(problems.solve(&of(1), bob), None);
        assert!(problems.solve(&full(""), nobody).is_some());
        assert_eq!(problems.told(nobody).len(), 1);
    }
}
