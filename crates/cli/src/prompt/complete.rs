//! Completion: commands for a word that begins the line with `-` or `/`, people and groups for a word that begins with
//! `@`, by any part of their names. Other words are what is being said, and offered nothing: Enter in an open menu picks
//! from it instead of sending.

use std::sync::Arc;

use parking_lot::Mutex;
use reedline::{Completer, CompletionResult, Span, Suggestion};
use unicode_segmentation::UnicodeSegmentation as _;

use super::known::Known;
use crate::input::SPECS;

/// Offers what is known.
pub(super) struct Complete(pub(super) Arc<Mutex<Known>>);

impl Completer for Complete {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let before = line.get(..position).unwrap_or(line);
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        let Some(mark) = word.chars().next() else { return CompletionResult::fresh(Vec::new()) };
        let part = &word[mark.len_utf8()..];
        let offers: Vec<(String, &'static str)> = match mark {
            '@' => self.0.lock().addressees().into_iter().map(|to| (to.name, to.about)).collect(),
            '-' | '/' if start == 0 => {
                SPECS.iter().flat_map(|spec| spec.names.iter().map(|name| ((*name).to_owned(), spec.about))).collect()
            }
            _ => Vec::new(),
        };
        let span = Span { start, end: position };
        CompletionResult::fresh(matching(mark, part, offers, span))
    }
}

/// The offers that contain `part`, those that begin with it first.
fn matching(mark: char, part: &str, offers: Vec<(String, &'static str)>, span: Span) -> Vec<Suggestion> {
    let part = part.to_lowercase();
    let mut found: Vec<_> =
        offers.into_iter().filter_map(|(name, about)| Some((name.to_lowercase().find(&part)?, name, about))).collect();
    found.sort();
    let suggestion = |(at, name, about): (usize, String, &str)| {
        let value = format!("{mark}{name}");
        // Of the word as it is shown: the mark is one more in front.
        let first = 1 + name.to_lowercase()[..at].graphemes(true).count();
        Suggestion {
            match_indices: Some((first..first + part.graphemes(true).count()).collect()),
            value,
            description: Some(about.to_owned()),
            span,
            append_whitespace: true,
            ..Suggestion::default()
        }
    };
    found.into_iter().map(suggestion).collect()
}

#[cfg(test)]
mod tests {
    use node::chat::{Answer, Incarnation, PersonId, ProcessId, UserInfo, Who};
    use node::line::Hello;

    use super::*;

    fn who(key: u8, name: &str, label: &str) -> Who {
        Who { person: PersonId::new([key; 32]), name: name.into(), address: None, label: label.into() }
    }

    fn complete(line: &str) -> Vec<String> {
        let user = |who| UserInfo { who, present: true, me: false, groups: Vec::new() };
        let me = who(1, "alice", "alice@10.0.0.1");
        let process = ProcessId { person: me.person, incarnation: Incarnation(1) };
        let known = node::chat::Hello {
            me,
            process,
            users: vec![
                user(who(2, "bob", "bob@10.0.0.2")),
                user(who(3, "bob", "bob@10.0.0.3")),
                user(who(4, "carol", "carol@10.0.0.4")),
                user(who(5, "dave", "boss")),
            ],
            groups: Vec::new(),
        };
        let mut known = Known::new(&Hello { hello: 1, program: "causerie".into(), known });
        known.learn_answer(&Answer::Created { group: "cars".into() });
        let mut complete = Complete(Arc::new(Mutex::new(known)));
        complete.complete(line, line.len()).suggestions().iter().map(|offer| offer.value.clone()).collect()
    }

    #[test]
    fn people_and_groups_by_any_part_of_their_names() {
        assert_eq!(complete("@ca"), ["@carol", "@cars"]);
        assert_eq!(complete("@AR"), ["@carol", "@cars"]);
        assert_eq!(complete("-delay 3 @rol"), ["@carol"]);
        assert_eq!(complete("@bo"), ["@bob@10.0.0.2", "@bob@10.0.0.3", "@boss"]);
        assert_eq!(complete("@").len(), 6);
        assert!(complete("@zzz").is_empty());
    }

    #[test]
    fn commands_by_any_part_at_the_start_of_the_line() {
        assert_eq!(complete("-join"), ["-join", "-joingroup"]);
        assert_eq!(complete("/find"), ["/findgroup", "/finduser"]);
        assert!(complete("-group").contains(&"-creategroup".to_owned()));
        assert!(complete("hello -li").is_empty());
    }

    #[test]
    fn nothing_is_offered_for_what_is_being_said() {
        for line in ["", "hello", "hello ", "@carol ", "ca", "me@ca"] {
            assert!(complete(line).is_empty(), "{line:?}");
        }
    }
}
