//! What a user interface is told, in order; a run of texts is one piece of it until somebody reads it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::history::Entry;
use crate::run::Run;
use crate::{Event, Message, Recipients, Who};

/// Events, oldest first. Taking one out of a run of texts is what makes a [`Message`] of it: until then the whole run is handed
/// on as one.
#[derive(Clone, Debug, Default)]
pub struct News(VecDeque<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Event(Event),
    Texts(Texts),
}

impl News {
    /// Adds an event at the end.
    pub fn push(&mut self, event: Event) {
        self.0.push_back(Piece::Event(event));
    }

    pub(crate) fn push_texts(&mut self, texts: Texts) {
        self.0.push_back(Piece::Texts(texts));
    }

    /// Adds what happened after these.
    pub fn append(&mut self, mut later: Self) {
        self.0.append(&mut later.0);
    }

    /// All events but texts, which are not read for that.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Event(event) => Some(event),
            Piece::Texts(_) => None,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Event> for News {
    fn from(event: Event) -> Self {
        [event].into_iter().collect()
    }
}

impl FromIterator<Event> for News {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        Self(events.into_iter().map(Piece::Event).collect())
    }
}

impl Iterator for News {
    type Item = Event;

    #[inline]
    fn next(&mut self) -> Option<Event> {
        while let Some(Piece::Texts(texts)) = self.0.front_mut() {
            let message = texts.next();
            if texts.is_read() {
                self.0.pop_front();
            }
            if let Some(message) = message {
                return Some(Event::Message { message });
            }
        }
        match self.0.pop_front()? {
            Piece::Event(event) => Some(event),
            Piece::Texts(_) => unreachable!("what is in front is no run"),
        }
    }
}

/// A run of texts as the user is shown them.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    run: Run,
    from: Arc<Who>,
    to: Recipients,
    own: bool,
    /// How many of them were read.
    read: u32,
}

impl Texts {
    /// `from` is their author, as he is shown now.
    pub(crate) fn new(run: Run, from: Arc<Who>, to: Recipients, own: bool) -> Self {
        Self { run, from, to, own, read: 0 }
    }

    fn is_read(&self) -> bool {
        self.read == self.run.count()
    }
}

impl Iterator for Texts {
    type Item = Message;

    #[inline]
    fn next(&mut self) -> Option<Message> {
        while !self.is_read() {
            let nth = self.read;
            self.read += 1;
            // What is no text shows nothing.
            let Some((sent_at, text)) = self.run.text(nth) else { continue };
            let &Entry { fetched, late, clock_off, .. } = self.run.first();
            return Some(Message {
                id: self.run.id(nth),
                from: Arc::clone(&self.from),
                to: self.to.clone(),
                text,
                sent_at,
                own: self.own,
                fetched,
                late,
                clock_off,
            });
        }
        None
    }
}
