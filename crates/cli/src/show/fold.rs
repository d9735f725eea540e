//! Long texts, shown by their beginning: one message must not push everything else off the screen.

use super::lines::thousands;

/// A text with more line feeds or characters than these is folded. That is more than most screens hold, so a text that is
/// pasted to be read is seldom folded.
const LINES: usize = 40;
const CHARACTERS: usize = 4_000;

/// What is shown of a text that is folded: clearly less than what is shown whole, so that each fold is worth opening.
const LINES_SHOWN: usize = 30;
const CHARACTERS_SHOWN: usize = 3_000;

/// What is shown of a text, and how much more there is (`… 2,000 more lines`) if that is not all.
pub(super) fn fold(text: &str) -> (&str, Option<String>) {
    let end_of_line = |number: usize| text.match_indices('\n').nth(number - 1).map(|(at, _)| at);
    let end_of_character = |number| text.char_indices().nth(number).map(|(at, _)| at);
    if end_of_line(LINES).is_none() && end_of_character(CHARACTERS).is_none() {
        return (text, None);
    }
    let ends = [end_of_line(LINES_SHOWN), end_of_character(CHARACTERS_SHOWN)];
    let (shown, rest) = text.split_at(ends.into_iter().flatten().min().unwrap_or(text.len()));
    let (count, what) = match rest.matches('\n').count() {
        0 => (rest.chars().count(), "character"),
        lines => (lines, "line"),
    };
    let s = if count == 1 { "" } else { "s" };
    (shown, Some(format!("… {} more {what}{s}", thousands(count as u64))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_screen_or_so_is_shown_whole() {
        let texts = [String::new(), "x\n".repeat(LINES - 1), "日".repeat(CHARACTERS)];
        for text in texts {
            assert_eq!(fold(&text), (text.as_str(), None));
        }
    }

    #[test]
    fn a_text_of_thousands_of_lines_is_shown_by_its_beginning() {
        let text = "\n".repeat(2_030);
        let (shown, more) = fold(&text);
        assert_eq!(shown, "\n".repeat(29));
        assert_eq!(more.as_deref(), Some("… 2,001 more lines"));
        let text: String = (1..=2_030).map(|number| format!("line {number}\n")).collect();
        let (shown, more) = fold(text.trim_end());
        assert!(shown.ends_with("\nline 30"));
        assert_eq!(more.as_deref(), Some("… 2,000 more lines"));
    }

    #[test]
    fn a_text_of_one_endless_line_is_folded_too() {
        let text = "日".repeat(CHARACTERS + 1);
        let (shown, more) = fold(&text);
        assert_eq!(shown.chars().count(), CHARACTERS_SHOWN);
        assert_eq!(more.as_deref(), Some("… 1,001 more characters"));
        let text = format!("{text}\nand another");
        assert_eq!(fold(&text).1.as_deref(), Some("… 1 more line"));
    }
}
