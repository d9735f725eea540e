//! *No message from nowhere*: a delivered message was sent by the author that it names, and is what that author wrote.
//!
//! Source: integrity, as in Cachin, Guerraoui, Rodrigues, "Introduction to Reliable and Secure Distributed Programming"
//! (2011), module 3.1, property BEB3 "no creation": if a process delivers m with sender s, then m was broadcast by s
//! before. Two copies of a peer may say different texts as the same message, before either knows of the other. Each of
//! these texts is what their author wrote. A liar may say anything about itself. The promise is that no peer can put
//! words into an honest mouth.

use chat::{Journal, Message, Recipients};

use super::{Invariant, Scene, Verdict};
use crate::chronicle::Place;

pub(super) struct FromNowhere;

impl Invariant for FromNowhere {
    fn name(&self) -> &'static str {
        "no message from nowhere"
    }

    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let (Journal::Deliver { id } | Journal::Late { id }) = entry else { return Ok(()) };
        let Scene { chronicle, process, .. } = scene;
        if chronicle.is_liars(&id.process) {
            return Ok(());
        }
        let name = chronicle.name(*id);
        let Some(sent) = chronicle.sent.get(id) else { return Err(format!("{name} is delivered and was never sent")) };
        if !sent.dests.contains(process) {
            return Err(format!("{name} is delivered to a process that it was not sent to"));
        }
        Ok(())
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, who, .. } = scene;
        let id = message.id;
        if chronicle.is_liars(&id.process) {
            return Ok(());
        }
        let name = chronicle.name(id);
        let Some(text) = chronicle.text_shown(message).filter(|_| chronicle.sent.contains_key(&id)) else {
            let written = chronicle.text(id).map(|text| &text.words);
            return Err(format!("{name} is shown ({:?}); what its author wrote is {written:?}", &*message.text));
        };
        let text = &chronicle.texts[text];
        let fits = match (&text.place, &message.to) {
            (Place::All, Recipients::All) => true,
            (Place::Group(name), Recipients::Group(shown)) => **name == **shown,
            (Place::Among(people), Recipients::Direct(_)) => people.len() == 2 && people.contains(who),
            (Place::Among(people), Recipients::People(others)) => {
                people.len() == others.len() + 1 && people.contains(who)
            }
            (Place::All | Place::Group(_) | Place::Among(_), _) => false,
        };
        if !fits {
            return Err(format!("{name} was written to {} and is shown as written to {:?}", text.place, message.to));
        }
        Ok(())
    }
}
