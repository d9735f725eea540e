//! How the line being typed looks, and what is remembered of it: the screen can only be drawn on around it.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Zoned;
use nu_ansi_term::{Color, Style};
use parking_lot::Mutex;
use reedline::{
    EditMode, Emacs, Highlighter, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus,
    ReedlineEvent, ReedlineRawEvent, StyledText,
};

use super::known::Known;
use crate::show::harmless_line;

/// What reedline has drawn last, as far as it lets one see.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    /// The prompt.
    pub(super) prompt: String,
    /// The line.
    pub(super) line: String,
    /// The bytes of the line in front of the cursor.
    pub(super) cursor: usize,
    /// It shows a search of the history instead; the line found is not known here.
    pub(super) searching: bool,
    /// The columns and rows that reedline believes in.
    pub(super) size: (u16, u16),
}

/// Shared by those whom reedline asks while it draws.
pub(super) type LastDrawn = Arc<Mutex<Drawn>>;

/// `name@address> `.
pub(super) struct NamePrompt {
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) drawn: LastDrawn,
    /// Put the time in front: what a line that was sent looks like from then on.
    pub(super) timed: bool,
}

impl Prompt for NamePrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        let name = self.known.lock().own_label();
        let name = harmless_line(&name);
        let prompt =
            if self.timed { format!("{} {name}> ", Zoned::now().strftime("%H:%M:%S")) } else { format!("{name}> ") };
        self.drawn.lock().prompt.clone_from(&prompt);
        prompt.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        self.drawn.lock().searching = false;
        "".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        self.drawn.lock().searching = true;
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing has ",
        };
        format!("({found}{:?}) ", search.term).into()
    }

    fn get_prompt_color(&self) -> Color {
        Color::Default
    }

    fn get_prompt_multiline_color(&self) -> Color {
        Color::Default
    }

    fn get_indicator_color(&self) -> Color {
        Color::Default
    }
}

/// Colours commands and targets, and remembers the line and the cursor.
pub(super) struct Remember(pub(super) LastDrawn);

impl Highlighter for Remember {
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        let mut drawn = self.0.lock();
        line.clone_into(&mut drawn.line);
        drawn.cursor = cursor;
        drop(drawn);
        let mut styled = StyledText::new();
        let first = line.split(char::is_whitespace).next().unwrap_or("");
        let style = match first.chars().next() {
            Some('@') => Style::new().fg(Color::Cyan),
            Some('-' | '/') if first.len() > 1 => Style::new().fg(Color::Yellow),
            Some(_) | None => Style::new(),
        };
        let (first, rest) = line.split_at(first.len());
        styled.push((style, first.to_owned()));
        styled.push((Style::new(), rest.to_owned()));
        styled
    }
}

/// Emacs keys, and a look at the size that reedline is told: it goes by that until it is told another one.
pub(super) struct Keys {
    pub(super) emacs: Emacs,
    pub(super) drawn: LastDrawn,
}

impl EditMode for Keys {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = self.emacs.parse_event(event);
        if let ReedlineEvent::Resize(columns, rows) = event {
            self.drawn.lock().size = (columns, rows);
        }
        event
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.emacs.edit_mode()
    }
}
