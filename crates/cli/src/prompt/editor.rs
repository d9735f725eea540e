//! The line editor: what keys do to the line being typed, and what is to be seen of it. It knows no terminal.

use nu_ansi_term::{Color, Style};

use super::complete::{Menu, complete};
use super::draft::Draft;
use super::keys::{Edit, Key};
use super::known::Known;
use super::layout::{Layout, Size, View};
use super::past::{Past, Search};

/// The line being typed, and the lines before it.
#[derive(Debug, Default)]
pub(super) struct Editor {
    draft: Draft,
    past: Past,
    menu: Option<Menu>,
    search: Option<Search>,
    colours: bool,
}

/// What a key asks for that the editor cannot do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// The line is to be sent.
    Line(String),
    Leave,
    Suspend,
    ClearScreen,
}

impl Editor {
    pub(super) fn new(colours: bool) -> Self {
        Self { colours, ..Self::default() }
    }

    /// Whether nothing was typed yet.
    pub(super) fn is_empty(&self) -> bool {
        self.draft.text().is_empty()
    }

    /// Does what a key is for.
    pub(super) fn press(&mut self, key: Key, known: &Known) -> Asked {
        let Some(key) = self.press_in_search(key) else { return Asked::Nothing };
        let Some(key) = self.press_in_menu(key, known) else { return Asked::Nothing };
        match key {
            Key::Edit(edit) => self.draft.apply(edit),
            Key::Enter => {
                let line = self.draft.text().to_owned();
                self.past.push(&line);
                self.draft.set("");
                // Nothing is sent, so there is nothing to leave on the screen.
                return if line.trim().is_empty() { Asked::Nothing } else { Asked::Line(line) };
            }
            Key::Tab => self.offer(known),
            Key::Up => {
                if !self.draft.up()
                    && let Some(line) = self.past.older(self.draft.text())
                {
                    self.draft.set(line);
                }
            }
            Key::Down => {
                if !self.draft.down()
                    && let Some(line) = self.past.newer()
                {
                    self.draft.set(&line);
                }
            }
            Key::Interrupt => self.draft.set(""),
            Key::EndOfInput if self.is_empty() => return Asked::Leave,
            Key::EndOfInput => self.draft.apply(Edit::Delete),
            Key::Suspend => return Asked::Suspend,
            Key::ClearScreen => return Asked::ClearScreen,
            Key::Search => self.search = Some(Search::default()),
            Key::BackTab | Key::Escape => {}
        }
        Asked::Nothing
    }

    /// What is to be seen, behind `prompt`.
    pub(super) fn view(&self, prompt: &str, size: Size) -> View {
        let mut layout = Layout::new(size.usable());
        if let Some(search) = &self.search {
            let found = search.found(&self.past);
            let nothing = if found.is_none() && !search.part.is_empty() { "nothing has " } else { "" };
            layout.write(&format!("{prompt}({nothing}{:?}) ", search.part), Style::new());
            layout.set_cursor();
            layout.write(found.unwrap_or(""), Style::new());
            return layout.finish(size, Vec::new());
        }
        layout.write(prompt, Style::new());
        let (text, cursor) = (self.draft.text(), self.draft.cursor());
        let first = text.split(char::is_whitespace).next().unwrap_or("");
        let style = if self.colours { style_of(first) } else { Style::new() };
        let parts = [
            (first.get(..cursor).unwrap_or(first), style),
            (text.get(first.len()..cursor).unwrap_or(""), Style::new()),
        ];
        for (part, style) in parts {
            layout.write(part, style);
        }
        layout.set_cursor();
        layout.write(first.get(cursor..).unwrap_or(""), style);
        layout.write(&text[cursor.max(first.len())..], Style::new());
        let menu = self.menu.as_ref().map_or_else(Vec::new, |menu| menu.rows(size.usable(), self.colours));
        layout.finish(size, menu)
    }

    /// A key during a search; the same key or another one if it is for the line.
    fn press_in_search(&mut self, key: Key) -> Option<Key> {
        let Some(search) = &mut self.search else { return Some(key) };
        match key {
            Key::Edit(Edit::Insert(letter)) => search.part.push(letter),
            Key::Edit(Edit::Paste(text)) => search.part.push_str(&text),
            Key::Edit(Edit::Backspace) => {
                search.part.pop();
            }
            Key::Search | Key::Up => {
                search.further(&self.past);
                return None;
            }
            Key::Escape | Key::Interrupt | Key::Edit(Edit::Redo) => {
                self.search = None;
                return None;
            }
            // What was found becomes the line: Enter does no more, so nothing is sent unread.
            Key::Edit(_)
            | Key::Enter
            | Key::Tab
            | Key::BackTab
            | Key::Down
            | Key::EndOfInput
            | Key::Suspend
            | Key::ClearScreen => {
                if let Some(line) = search.found(&self.past) {
                    self.draft.set(line);
                }
                self.search = None;
                return (key != Key::Enter).then_some(key);
            }
        }
        search.look(&self.past);
        None
    }

    /// A key while the menu is open; the same key if it is for the line.
    fn press_in_menu(&mut self, key: Key, known: &Known) -> Option<Key> {
        let Some(menu) = &mut self.menu else { return Some(key) };
        match key {
            Key::Tab | Key::Down => menu.step(true),
            Key::BackTab | Key::Up => menu.step(false),
            Key::Enter => self.accept(),
            Key::Escape => self.menu = None,
            // The menu is for one word: what ends the word ends the menu, so that Enter sends again.
            Key::Edit(edit @ (Edit::Insert(_) | Edit::Backspace)) => {
                self.draft.apply(edit);
                self.menu = Menu::new(complete(known, self.draft.text(), self.draft.cursor()));
            }
            Key::Edit(_) | Key::Interrupt | Key::EndOfInput | Key::Suspend | Key::ClearScreen | Key::Search => {
                self.menu = None;
                return Some(key);
            }
        }
        None
    }

    /// Opens the menu, unless there is one thing only to choose.
    fn offer(&mut self, known: &Known) {
        let offers = complete(known, self.draft.text(), self.draft.cursor());
        let only = offers.all.len() == 1;
        self.menu = Menu::new(offers);
        if only {
            self.accept();
        }
    }

    fn accept(&mut self) {
        if let Some(menu) = self.menu.take() {
            let (start, value) = menu.chosen();
            self.draft.replace_before_cursor(start, &format!("{value} "));
        }
    }
}

/// The colour of a line's first word: of a target, or of a command.
fn style_of(first: &str) -> Style {
    match first.chars().next() {
        Some('@') => Style::new().fg(Color::Cyan),
        Some('-' | '/') if first.len() > 1 => Style::new().fg(Color::Yellow),
        Some(_) | None => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use node::chat::{Answer, Incarnation, PersonId, ProcessId, Who};
    use node::line::Hello;

    use super::*;

    const SIZE: Size = Size { columns: 40, rows: 10 };

    fn known() -> Known {
        let person = PersonId::new([1; 32]);
        let me = Who { person, name: "me".into(), address: None, label: "me".into() };
        let process = ProcessId { person, incarnation: Incarnation(1) };
        let hello = node::chat::Hello {
            me,
            process,
            users: Vec::new(),
            groups: Vec::new(),
            unread: Vec::new(),
            name_taken_by: None,
        };
        let mut known = Known::new(&Hello { hello: 1, program: "causerie".into(), known: hello });
        for group in ["cars", "carts", "boats"] {
            known.learn_answer(&Answer::Created { group: group.into() });
        }
        known
    }

    fn type_in(editor: &mut Editor, text: &str) {
        for letter in text.chars() {
            assert_eq!(editor.press(Key::Edit(Edit::Insert(letter)), &known()), Asked::Nothing);
        }
    }

    fn press(editor: &mut Editor, keys: &[Key]) -> Asked {
        keys.iter().map(|key| editor.press(key.clone(), &known())).last().unwrap()
    }

    fn rows(editor: &Editor) -> Vec<String> {
        editor.view("> ", SIZE).rows.into_iter().map(|row| row.text).collect()
    }

    fn send(editor: &mut Editor, line: &str) {
        type_in(editor, line);
        assert_eq!(press(editor, &[Key::Enter]), Asked::Line(line.into()));
    }

    #[test]
    fn enter_sends_and_the_past_comes_back() {
        let mut editor = Editor::new(false);
        send(&mut editor, "one");
        send(&mut editor, "two");
        type_in(&mut editor, "draft");
        press(&mut editor, &[Key::Up, Key::Up]);
        assert_eq!(rows(&editor), ["> one"]);
        press(&mut editor, &[Key::Down, Key::Down]);
        assert_eq!(rows(&editor), ["> draft"]);
        press(&mut editor, &[Key::Edit(Edit::Insert('\n')), Key::Up, Key::Edit(Edit::Insert('x'))]);
        assert_eq!(rows(&editor), ["> xdraft", ""], "in a draft of several lines the arrows move the cursor");
        press(&mut editor, &[Key::Interrupt]);
        type_in(&mut editor, "  ");
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Nothing);
        assert_eq!(rows(&editor), ["> "]);
    }

    #[test]
    fn a_menu_offers_what_there_is_and_enter_picks_from_it() {
        let mut editor = Editor::new(false);
        type_in(&mut editor, "@ca");
        press(&mut editor, &[Key::Tab]);
        assert_eq!(rows(&editor), ["> @ca", "> @cars   group", "  @carts  group"]);
        assert_eq!(press(&mut editor, &[Key::Tab, Key::Enter]), Asked::Nothing);
        assert_eq!(rows(&editor), ["> @carts "]);
        type_in(&mut editor, "hi");
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Line("@carts hi".into()));
        type_in(&mut editor, "@boa");
        press(&mut editor, &[Key::Tab]);
        assert_eq!(rows(&editor), ["> @boats "], "one offer needs no menu");
        press(&mut editor, &[Key::Interrupt]);
        type_in(&mut editor, "@ca");
        press(&mut editor, &[Key::Tab]);
        type_in(&mut editor, "r");
        assert_eq!(rows(&editor).len(), 3, "what is typed narrows the offers");
        type_in(&mut editor, "s hi");
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Line("@cars hi".into()));
        type_in(&mut editor, "@ca");
        press(&mut editor, &[Key::Tab, Key::Escape]);
        assert_eq!(rows(&editor), ["> @ca"]);
    }

    #[test]
    fn a_search_finds_a_line_and_sends_nothing() {
        let mut editor = Editor::new(false);
        send(&mut editor, "the first");
        send(&mut editor, "the second");
        press(&mut editor, &[Key::Search]);
        type_in(&mut editor, "the");
        assert_eq!(rows(&editor), ["> (\"the\") the second"]);
        press(&mut editor, &[Key::Search]);
        assert_eq!(rows(&editor), ["> (\"the\") the first"]);
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Nothing);
        assert_eq!(rows(&editor), ["> the first"]);
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Line("the first".into()));
        press(&mut editor, &[Key::Search]);
        type_in(&mut editor, "zzz");
        assert_eq!(rows(&editor), ["> (nothing has \"zzz\") "]);
        press(&mut editor, &[Key::Interrupt]);
        assert_eq!(rows(&editor), ["> "]);
    }

    #[test]
    fn what_was_pasted_is_shown_harmless_and_sent_as_it_is() {
        let mut editor = Editor::new(false);
        press(&mut editor, &[Key::Edit(Edit::Paste("\x1b[2J\x1b]0;x\x07".into()))]);
        assert_eq!(rows(&editor), ["> ␛[2J␛]0;x␇"]);
        assert_eq!(press(&mut editor, &[Key::Enter]), Asked::Line("\x1b[2J\x1b]0;x\x07".into()));
    }

    #[test]
    fn control_d_leaves_only_where_nothing_is_typed() {
        let mut editor = Editor::new(false);
        type_in(&mut editor, "x");
        assert_eq!(press(&mut editor, &[Key::Edit(Edit::Left), Key::EndOfInput]), Asked::Nothing);
        assert_eq!(press(&mut editor, &[Key::EndOfInput]), Asked::Leave);
        assert_eq!(press(&mut editor, &[Key::Suspend]), Asked::Suspend);
    }

    #[test]
    fn the_first_word_has_the_colour_of_what_it_is_wherever_the_cursor_stands() {
        let mut editor = Editor::new(true);
        type_in(&mut editor, "@bob hi");
        let plain = |editor: &Editor| editor.view("> ", SIZE).rows[0].width;
        assert_eq!(plain(&editor), 9);
        assert!(rows(&editor)[0].contains(&Color::Cyan.paint("@bob").to_string()));
        for _ in 0..7 {
            press(&mut editor, &[Key::Edit(Edit::Left)]);
            assert_eq!(plain(&editor), 9);
            assert!(rows(&editor)[0].contains(&Color::Cyan.prefix().to_string()));
        }
    }
}
