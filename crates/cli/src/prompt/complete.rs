//! Completion: commands for a word that begins the line with `-` or `/`, people and groups for a word that begins with
//! `@`, by any part of their names. Other words are what is being said, and offered nothing: Enter in an open menu picks
//! from it instead of sending.

use nu_ansi_term::Style;
use unicode_width::UnicodeWidthStr as _;

use super::known::Known;
use super::layout::{Layout, Row};
use crate::input::SPECS;

/// How many offers are shown at once.
const SHOWN: usize = 8;

/// Something to complete a word to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) value: String,
    about: &'static str,
}

/// What there is for the word in front of the cursor, and where that begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) start: usize,
    pub(super) all: Vec<Offer>,
}

/// What is offered for the word that ends at `cursor`.
pub(super) fn complete(known: &Known, line: &str, cursor: usize) -> Offers {
    let before = line.get(..cursor).unwrap_or(line);
    let start =
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let Some(mark) = word.chars().next() else { return Offers::default() };
    let part = &word[mark.len_utf8()..];
    let offers: Vec<(String, &'static str)> = match mark {
        '@' => known.addressees().into_iter().map(|to| (to.name, to.about)).collect(),
        '-' | '/' if start == 0 => {
            SPECS.iter().flat_map(|spec| spec.names.iter().map(|name| ((*name).to_owned(), spec.about))).collect()
        }
        _ => Vec::new(),
    };
    Offers { start, all: matching(mark, part, offers) }
}

/// The offers that contain `part`, those that begin with it first. An `@` in it stands for the `·` of a label.
fn matching(mark: char, part: &str, offers: Vec<(String, &'static str)>) -> Vec<Offer> {
    let part = part.to_lowercase().replace('@', "·");
    let mut found: Vec<_> =
        offers.into_iter().filter_map(|(name, about)| Some((name.to_lowercase().find(&part)?, name, about))).collect();
    found.sort();
    found.into_iter().map(|(_, name, about)| Offer { value: format!("{mark}{name}"), about }).collect()
}

/// Offers below the line, one of them chosen.
#[derive(Debug)]
pub(super) struct Menu {
    offers: Offers,
    chosen: usize,
}

impl Menu {
    /// `None` if there is nothing to offer.
    pub(super) fn new(offers: Offers) -> Option<Self> {
        (!offers.all.is_empty()).then_some(Self { offers, chosen: 0 })
    }

    /// Goes on to the next offer, or back to the one before.
    pub(super) fn step(&mut self, forwards: bool) {
        let count = self.offers.all.len();
        self.chosen = (self.chosen + if forwards { 1 } else { count - 1 }) % count;
    }

    /// Where the word begins, and what it becomes.
    pub(super) fn chosen(&self) -> (usize, &str) {
        (self.offers.start, &self.offers.all[self.chosen].value)
    }

    /// The rows around the chosen one, each cut to `columns`.
    pub(super) fn rows(&self, columns: usize, colours: bool) -> Vec<Row> {
        let first = (self.chosen + 1).saturating_sub(SHOWN);
        let width = self.offers.all.iter().map(|offer| offer.value.width()).max().unwrap_or(0);
        let shown = self.offers.all.iter().enumerate().skip(first).take(SHOWN);
        shown
            .map(|(number, Offer { value, about })| {
                let mark = if number == self.chosen { '>' } else { ' ' };
                let style = if colours && number == self.chosen { Style::new().bold() } else { Style::new() };
                let mut row = Layout::new(columns);
                row.write(&format!("{mark} {value}{}  {about}", " ".repeat(width - value.width())), style);
                row.first_row()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use node::chat::{Answer, Incarnation, PersonId, ProcessId, UserInfo, Who};
    use node::line::Hello;

    use super::*;

    fn who(key: u8, name: &str, label: &str) -> Who {
        Who { person: PersonId::new([key; 32]), name: name.into(), address: None, label: label.into() }
    }

    fn offers(line: &str) -> Offers {
        let user = |who| UserInfo { who, present: true, me: false, verified: false, groups: Vec::new() };
        let me = who(1, "alice", "alice");
        let process = ProcessId { person: me.person, incarnation: Incarnation(1) };
        let known = node::chat::Hello {
            me,
            process,
            users: vec![
                user(who(2, "bob", "bob·aaaa")),
                user(who(3, "bob", "bob·bbbb")),
                user(who(4, "carol", "carol")),
                user(who(5, "dave", "boss")),
            ],
            groups: Vec::new(),
            name_taken_by: None,
            unread: Vec::new(),
        };
        let mut known = Known::new(&Hello { hello: 1, program: "causerie".into(), known });
        known.learn_answer(&Answer::Created { group: "cars".into() });
        complete(&known, line, line.len())
    }

    fn values(line: &str) -> Vec<String> {
        offers(line).all.into_iter().map(|offer| offer.value).collect()
    }

    #[test]
    fn people_and_groups_by_any_part_of_their_names() {
        assert_eq!(values("@ca"), ["@carol", "@cars"]);
        assert_eq!(values("@AR"), ["@carol", "@cars"]);
        assert_eq!(values("-delay 3 @rol"), ["@carol"]);
        assert_eq!(offers("-delay 3 @rol").start, 9);
        assert_eq!(values("@bo"), ["@bob·aaaa", "@bob·bbbb", "@boss"]);
        assert_eq!(values("@bob@b"), ["@bob·bbbb"]);
        assert_eq!(values("@").len(), 6);
        assert!(values("@zzz").is_empty());
    }

    #[test]
    fn commands_by_any_part_at_the_start_of_the_line() {
        assert_eq!(values("-join"), ["-join", "-joingroup"]);
        assert_eq!(values("/find"), ["/findgroup", "/finduser"]);
        assert!(values("-group").contains(&"-creategroup".to_owned()));
        assert!(values("hello -li").is_empty());
    }

    #[test]
    fn nothing_is_offered_for_what_is_being_said() {
        for line in ["", "hello", "hello ", "@carol ", "ca", "me@ca"] {
            assert!(values(line).is_empty(), "{line:?}");
        }
    }

    #[test]
    fn a_menu_shows_the_offers_around_the_chosen_one() {
        let mut menu = Menu::new(offers("-")).unwrap();
        let rows = menu.rows(20, false);
        assert_eq!(rows.len(), SHOWN);
        assert!(rows[0].text.starts_with("> -") && rows[1].text.starts_with("  -"));
        assert!(rows.iter().all(|row| row.width <= 20));
        menu.step(false);
        let last = menu.chosen().1.to_owned();
        assert_eq!(Some(&last), values("-").last());
        assert!(menu.rows(40, false)[SHOWN - 1].text.starts_with(&format!("> {last}")));
        menu.step(true);
        assert_eq!(menu.chosen().1, values("-")[0]);
        assert!(Menu::new(Offers::default()).is_none());
    }
}
