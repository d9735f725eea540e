//! Who has a name first.
//!
//! A record claims a name, with a rank in the line of those who claim it ([`Record::rank`](crate::Record::rank)). Of two claims to
//! names that look alike the one with the smaller rank is first, and of equal ranks the one with the smaller key. This is a function
//! of the two records and nothing else, so all peers decide alike, whatever their clocks say and in whatever order the records
//! came. A claim whose author knew another one has a greater rank than it (the rank is Lamport's clock, Communications of the ACM
//! 21 (1978), over the claims to one name); claims that could not know of each other have the same rank, unless one of them
//! knew a third.

use super::{Directory, Person, namesakes};
use crate::name::Name;
use crate::{PersonId, Refusal};

impl Directory {
    /// The rank of a claim that I make to `name` now.
    pub(crate) fn rank_of_new_claim(&self, name: &Name) -> u32 {
        let ranks = self.others_called(name).map(|(_, person)| person.record.rank);
        ranks.max().map_or(0, |greatest| greatest.saturating_add(1))
    }

    /// Who has my name and is the first to have it, if that is not me.
    pub(crate) fn who_had_my_name_first(&self) -> Option<PersonId> {
        let mine = &self.people.get(&self.me)?.record;
        let place = |(id, person): (PersonId, &Person)| (person.record.rank, id);
        let first = self.others_called(&mine.name).map(place).min()?;
        (first < (mine.rank, self.me)).then_some(first.1)
    }

    /// Whether I may take this name.
    ///
    /// # Errors
    /// [`Refusal::GroupExists`], [`Refusal::NickTaken`] or [`Refusal::NickIsAlias`] if a group, a person who is known or an alias
    /// of mine has a name that looks like it, or if it looks like the label of another person.
    pub(crate) fn may_be_called(&self, name: &Name) -> Result<(), Refusal> {
        if let Some(group) = self.group_called(name) {
            return Err(Refusal::GroupExists { group: group.to_string() });
        }
        let name = name.clone();
        let imitated = self.namesakes.called(&namesakes::looks(&name, self.me)).into_iter();
        let mut taken = imitated.chain(self.bearer(&name)).filter(|id| *id != self.me);
        match taken.find(|id| self.people.get(id).is_none_or(|person| !person.departed)) {
            Some(other) if self.alias_of(other).is_some_and(|alias| alias.looks_like(&name)) => {
                let alias = self.alias_of(other).expect("just looked at").to_string();
                Err(Refusal::NickIsAlias { alias, who: self.who(other).name.clone() })
            }
            Some(other) => Err(Refusal::NickTaken { name: name.to_string(), who: self.who(other).label.clone() }),
            None => Ok(()),
        }
    }

    /// Whether a record of anybody but me was ever taken.
    pub(crate) fn knows_others(&self) -> bool {
        self.people.keys().any(|id| *id != self.me)
    }

    /// The others whose own names look like `name`, but for those who are gone for good.
    fn others_called(&self, name: &Name) -> impl Iterator<Item = (PersonId, &Person)> {
        let called = self.namesakes.called(&name.looks()).into_iter();
        let others = called.filter(|id| *id != self.me).filter_map(|id| Some((id, self.people.get(&id)?)));
        others.filter(move |(_, person)| !person.departed && person.name().looks_like(name))
    }
}
