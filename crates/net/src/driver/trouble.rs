//! What the user is told of problems outside this program: each problem once when it appears, and once when it is gone.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::Driver;
use crate::{DownReason, Event, Problem, limits::lacks_files, outgoing::Finish, peer::Key};

/// How long a peer that cannot be reached may take to confirm that it is there.
pub(super) const CONFIRM: Duration = Duration::from_secs(3);

/// How long no file was refused before the lack of files counts as over.
const ENOUGH_FILES: Duration = Duration::from_secs(5);

/// In tenths of the time after which a link is dead. A link that is alive is never silent for this long, because a
/// heartbeat comes every three tenths.
const QUIET: u32 = 6;

/// A peer that announces itself but could not be reached.
#[derive(Debug)]
pub(super) struct Suspect {
    /// When it counts as unreachable, unless it takes its announcement back before.
    at: Instant,
    /// Where it was dialled in vain.
    address: SocketAddr,
    problem: Option<Problem>,
}

impl Driver {
    /// Replaces the problems known so far by the present ones.
    pub(super) fn survey_is(&mut self, present: Vec<Problem>) {
        let before = std::mem::take(&mut self.surveyed);
        for solved in before.iter().filter(|problem| !present.iter().any(|other| other.kind() == problem.kind())) {
            self.tell(Event::Solved { problem: solved.clone() });
            if *solved == Problem::MulticastPortTaken
                && let Some(discovery) = &mut self.discovery
            {
                discovery.begin_again();
            }
        }
        for new in present.iter().filter(|problem| !before.contains(problem)) {
            self.tell(Event::Problem { problem: new.clone() });
        }
        self.surveyed = present;
    }

    /// A dial of a peer failed. If the peer still announces itself, something is in the way.
    pub(super) fn suspect(&mut self, now: Instant, peer: Key, address: SocketAddr) {
        if self.up.contains_key(&peer) || self.suspects.contains_key(&peer) {
            return;
        }
        if self.announced.contains(&peer)
            && let Some(discovery) = &self.discovery
            && discovery.verify(&peer, CONFIRM)
        {
            // The answer, or the news that there is none, needs a moment more.
            self.suspects.insert(peer, Suspect { at: now + CONFIRM * 2, address, problem: None });
        }
    }

    /// A link to the peer is up, or it no longer announces itself.
    pub(super) fn suspect_no_more(&mut self, peer: &Key) {
        if let Some(problem) = self.suspects.remove(peer).and_then(|suspect| suspect.problem) {
            self.tell(Event::Solved { problem });
        }
    }

    /// A link has been silent for too long. If all others are silent as well, this peer itself has lost the network.
    /// Then all links end at once, and the user is told so once.
    pub(super) fn may_be_offline(&mut self) {
        let links = || {
            let outside = self.up.values().filter_map(|id| self.connections.get(id)).filter(|c| c.neighbour.is_none());
            outside.filter_map(|connection| connection.link.as_ref()).map(|link| &link.outgoing)
        };
        if self.is_offline || links().next().is_none() || links().any(|link| link.quiet() < QUIET) {
            return;
        }
        for link in links() {
            link.finish(Finish { last: None, text: String::new(), reason: DownReason::Silent });
        }
        self.is_offline = true;
        self.tell(Event::Problem { problem: Problem::Offline });
    }

    /// There is a link, or no peer is left that one could lead to.
    pub(super) fn is_online(&mut self) {
        if std::mem::take(&mut self.is_offline) {
            self.tell(Event::Solved { problem: Problem::Offline });
        }
    }

    /// A connection could not be accepted or made, or the network could not be looked at.
    pub(super) fn may_lack_files(&mut self, now: Instant, error: &str) {
        if lacks_files(error) && self.no_files.replace(now).is_none() {
            let problem = Problem::NoDescriptors { error: error.to_owned(), limit: self.max_files };
            self.tell(Event::Problem { problem });
        }
    }

    fn has_files_again(&mut self, now: Instant) {
        if self.no_files.is_some_and(|last| now.duration_since(last) >= ENOUGH_FILES) {
            self.no_files = None;
            self.tell(Event::Solved { problem: Problem::NoDescriptors { error: String::new(), limit: None } });
        }
    }

    /// When there may be something to tell.
    pub(super) fn next_trouble(&self) -> Option<Instant> {
        self.next_suspect().into_iter().chain(self.no_files.map(|last| last + ENOUGH_FILES)).min()
    }

    /// When a suspect counts as unreachable.
    fn next_suspect(&self) -> Option<Instant> {
        self.suspects.values().filter(|suspect| suspect.problem.is_none()).map(|suspect| suspect.at).min()
    }

    pub(super) fn look_for_trouble(&mut self, now: Instant) {
        self.has_files_again(now);
        if self.is_offline && self.tiebreak.unlinked(now).next().is_none() {
            self.is_online();
        }
        let gone: Vec<Key> = self.suspects.keys().filter(|peer| !self.tiebreak.knows(peer)).copied().collect();
        gone.iter().for_each(|peer| self.suspect_no_more(peer));
        let port = self.listening.first().map_or(0, SocketAddr::port);
        if self.announced.len() > 2 * self.limits.peers {
            self.announced.retain(|peer| self.tiebreak.knows(peer));
        }
        for (peer, suspect) in self.suspects.iter_mut().filter(|(_, s)| s.problem.is_none() && s.at <= now) {
            let problem = Problem::Unreachable { peer: *peer, address: suspect.address, port };
            self.outbox.push_back((Event::Problem { problem: problem.clone() }, None));
            suspect.problem = Some(problem);
        }
    }
}
