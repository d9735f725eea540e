//! Colours, or none.

use node::chat::PersonId;
use nu_ansi_term::{Color, Style};

/// Colours of the terminal's 256 that can be read on black and on white, far enough apart to tell people by.
const PEOPLE: [u8; 12] = [33, 166, 35, 133, 37, 161, 70, 99, 172, 31, 168, 65];

/// Puts colours on text, or leaves it as it is (`NO_COLOR`, or no terminal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    /// Somebody's label, always in the same colour: it hangs on the key, so nobody can borrow another one's.
    pub(crate) fn person(self, person: PersonId, label: &str) -> String {
        // FNV-1a; a key is random already, but only if nobody has chosen it.
        let hash = person
            .public_key()
            .iter()
            .fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let colour = PEOPLE[(hash >> 8) as usize % PEOPLE.len()];
        self.style(Style::new().fg(Color::Fixed(colour)).bold(), label)
    }

    /// What is not said by anybody: less bright.
    pub(crate) fn dim(self, text: &str) -> String {
        self.style(Style::new().dimmed(), text)
    }

    /// What went wrong.
    pub(crate) fn wrong(self, text: &str) -> String {
        self.style(Style::new().fg(Color::Red), text)
    }

    /// What should be noticed.
    pub(crate) fn warning(self, text: &str) -> String {
        self.style(Style::new().fg(Color::Yellow), text)
    }

    fn style(self, style: Style, text: &str) -> String {
        if self.on { style.paint(text).to_string() } else { text.to_owned() }
    }
}
