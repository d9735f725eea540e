//! What takes a peer much work to answer and the asker a few bytes to ask: pieces of what others said, history, parcels, and what was
//! refused for want of room.
//!
//! The requests of a link wait in a queue. One of them is answered in a turn of its own, so that what was delivered before is in the
//! store; then links take turns, however much one asks. How many are answered in a second, and how many may wait, is bounded
//! by `Config`; an honest peer gets there only if thousands are away whom it asks for at once, and then it waits.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::time::Duration;

use causal::Clock;

use crate::frame::{HistoryWanted, ParcelIds};
use crate::store::Store;
use crate::{Config, LinkId, ProcessId};

use super::{Now, Peer};

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) enum Request {
    /// Messages of one author with clocks in (after, up_to].
    Pull { author: ProcessId, after: Clock, up_to: Clock },
    /// A piece of history.
    History(HistoryWanted),
    /// An offer of parcels: which of them are wanted?
    Offer(Vec<ParcelIds>),
    /// A piece of these parcels.
    Parcels(Vec<ParcelIds>),
    /// What is not acknowledged is to be pushed again.
    PushAgain,
}

impl Request {
    /// Whether an honest peer asks the same only once the answer has come: then the later one counts.
    fn is_in_step(&self) -> bool {
        match self {
            Self::Pull { .. } | Self::History(_) => false,
            Self::Offer(_) | Self::Parcels(_) | Self::PushAgain => true,
        }
    }

    /// About how many bytes it takes.
    fn bytes(&self) -> usize {
        let more = match self {
            Self::Pull { .. } | Self::PushAgain => 0,
            Self::History(HistoryWanted { after, up_to, also, .. }) => {
                let also = also.iter().map(|(_, clocks)| size_of::<ProcessId>() + clocks.len() * size_of::<Clock>());
                (after.len() + up_to.len()) * size_of::<(ProcessId, Clock)>() + also.sum::<usize>()
            }
            Self::Offer(ids) | Self::Parcels(ids) => {
                ids.iter().map(|ids| size_of::<ParcelIds>() + ids.clocks.len() * size_of::<Clock>()).sum()
            }
        };
        size_of::<Self>() + more
    }
}

/// The requests of one link.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: VecDeque<Request>,
    bytes: usize,
    /// If answers were evenly spaced, when the next one would be (monotonic): so many may come sooner as are given at once.
    next: Duration,
}

impl Requests {
    /// Lets a request wait. False if it, or the one that it stands in for, is not answered.
    fn put(&mut self, request: Request, config: &Config) -> bool {
        let alike = |other: &Request| discriminant(other) == discriminant(&request);
        if request.is_in_step()
            && let Some(at) = self.waiting.iter().position(alike)
        {
            self.bytes += request.bytes();
            self.bytes -= std::mem::replace(&mut self.waiting[at], request).bytes();
            return false;
        }
        if self.waiting.len() >= config.max_requests || self.bytes + request.bytes() > config.max_request_bytes {
            return false;
        }
        self.bytes += request.bytes();
        self.waiting.push_back(request);
        true
    }

    /// From when on the next one may be answered, if one waits.
    fn due(&self, config: &Config) -> Option<Duration> {
        let sooner = config.answer_every * config.answers_at_once.saturating_sub(1);
        (!self.waiting.is_empty()).then(|| self.next.saturating_sub(sooner))
    }

    fn take(&mut self, now: Now, config: &Config) -> Option<Request> {
        let request = self.waiting.pop_front()?;
        self.bytes -= request.bytes();
        self.next = self.next.max(now.monotonic) + config.answer_every;
        Some(request)
    }

    /// Takes back what was asked of this kind and is in step.
    pub(super) fn withdraw_parcels(&mut self) {
        let bytes = &mut self.bytes;
        self.waiting.retain(|request| {
            let stays = !matches!(request, Request::Parcels(_));
            *bytes -= if stays { 0 } else { request.bytes() };
            stays
        });
    }
}

impl<S: Store> Peer<S> {
    /// Lets a request wait for its answer, if there is room; else it is counted as refused.
    pub(super) fn request(&mut self, link: LinkId, request: Request) {
        let link = self.links.get_mut(&link).expect("frames are handled only on links that are up");
        if !link.requests.put(request, &self.config) {
            self.repair.refused += 1;
        }
    }

    /// When the next request is answered. While a link is full its requests wait.
    pub(super) fn next_answer(&self) -> Option<(Duration, &'static str)> {
        let due =
            self.links.values().filter(|link| !link.full).filter_map(|link| link.requests.due(&self.config)).min();
        due.map(|due| (due, "a request waits"))
    }

    /// Answers one request of each link, if it is due.
    pub(super) fn answer_requests(&mut self, now: Now) {
        // What was delivered is not in the store yet.
        if !self.effects.durable.is_empty() {
            return;
        }
        let due = |request: &super::Link| request.requests.due(&self.config).is_some_and(|due| due <= now.monotonic);
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| !link.full && due(link)).map(|(&id, _)| id).collect();
        for id in links {
            let Some(link) = self.links.get_mut(&id) else { continue };
            let Some((process, request)) = link.process.zip(link.requests.take(now, &self.config)) else { continue };
            match request {
                Request::Pull { author, after, up_to } => self.hand_over(now, id, process, author, after, up_to),
                Request::History(wanted) => self.hand_over_history(id, process, &wanted),
                Request::Offer(offered) => self.answer_offer(now, id, process, offered),
                Request::Parcels(wanted) => self.give_parcels(id, process, wanted),
                Request::PushAgain => {
                    self.push_again(id);
                    self.pump_all();
                }
            }
        }
    }
}
