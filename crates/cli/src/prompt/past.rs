//! The lines that were typed before.

/// How many are remembered.
const LINES: usize = 1000;

/// The lines of this prompt, and which of them is being looked at.
#[derive(Debug, Default)]
pub(super) struct Past {
    lines: Vec<String>,
    /// The one that was fetched into the draft, and the draft that it took the place of.
    at: Option<(usize, String)>,
}

impl Past {
    /// Remembers a line; the same one twice in a row once.
    pub(super) fn push(&mut self, line: &str) {
        self.at = None;
        if line.trim().is_empty() || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.remove(0);
        }
        self.lines.push(line.to_owned());
    }

    /// The line before the one that is looked at; `draft` is kept for the way back.
    pub(super) fn older(&mut self, draft: &str) -> Option<&str> {
        let (at, draft) = self.at.take().unwrap_or_else(|| (self.lines.len(), draft.to_owned()));
        let older = at.checked_sub(1);
        self.at = Some((older.unwrap_or(0), draft)).filter(|_| !self.lines.is_empty());
        Some(&self.lines[older?])
    }

    /// The line behind the one that is looked at, and behind the last one the draft.
    pub(super) fn newer(&mut self) -> Option<String> {
        let (at, draft) = self.at.take()?;
        match self.lines.get(at + 1) {
            Some(line) => {
                self.at = Some((at + 1, draft));
                Some(line.clone())
            }
            None => Some(draft),
        }
    }

    /// The newest line that has `part` in it, of those before `end`, and where it stands.
    fn find(&self, part: &str, end: usize) -> Option<usize> {
        self.lines[..end.min(self.lines.len())].iter().rposition(|line| line.contains(part))
    }
}

/// A search for a line that was typed before.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) part: String,
    found: Option<usize>,
}

impl Search {
    /// Looks for what was typed of it by now.
    pub(super) fn look(&mut self, past: &Past) {
        self.found = if self.part.is_empty() { None } else { past.find(&self.part, usize::MAX) };
    }

    /// Looks further back; what was found stays if there is no more.
    pub(super) fn further(&mut self, past: &Past) {
        if let Some(older) = self.found.and_then(|found| past.find(&self.part, found)) {
            self.found = Some(older);
        }
    }

    /// The line that was found.
    pub(super) fn found<'a>(&self, past: &'a Past) -> Option<&'a str> {
        self.found.map(|found| past.lines[found].as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past() -> Past {
        let mut past = Past::default();
        ["one", "two", "two", " ", "three"].into_iter().for_each(|line| past.push(line));
        past
    }

    #[test]
    fn lines_come_back_one_by_one_and_then_the_draft() {
        let mut past = past();
        assert_eq!(past.newer(), None);
        assert_eq!(past.older("draft"), Some("three"));
        assert_eq!(past.older("three"), Some("two"));
        assert_eq!(past.older("two"), Some("one"));
        assert_eq!(past.older("one"), None);
        assert_eq!(past.newer().as_deref(), Some("two"));
        assert_eq!(past.newer().as_deref(), Some("three"));
        assert_eq!(past.newer().as_deref(), Some("draft"));
        assert_eq!(past.newer(), None);
        assert_eq!(Past::default().older("x"), None);
    }

    #[test]
    fn a_search_finds_the_newest_and_goes_on_to_older_ones() {
        let (past, mut search) = (past(), Search::default());
        search.look(&past);
        assert_eq!(search.found(&past), None);
        search.part = "o".into();
        search.look(&past);
        assert_eq!(search.found(&past), Some("two"));
        search.further(&past);
        search.further(&past);
        assert_eq!(search.found(&past), Some("one"));
        search.part = "x".into();
        search.look(&past);
        assert_eq!(search.found(&past), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut past = Past::default();
        (0..LINES + 5).for_each(|number| past.push(&number.to_string()));
        assert_eq!(past.lines.len(), LINES);
        assert_eq!(past.lines[0], "5");
    }
}
