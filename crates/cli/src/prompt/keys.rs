//! What each key does: those of Emacs and of a shell.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key, by what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Edit(Edit),
    Enter,
    Tab,
    BackTab,
    Up,
    Down,
    Escape,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    ClearScreen,
    /// Ctrl-R.
    Search,
}

/// A change of the line, or of the place of the cursor in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Insert(char),
    Paste(String),
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Start,
    End,
    Backspace,
    Delete,
    BackspaceWord,
    DeleteWord,
    CutToLineEnd,
    CutToStart,
    CutWordLeft,
    CutWordRight,
    Yank,
    Swap,
    Uppercase,
    Lowercase,
    Capitalize,
    Undo,
    Redo,
}

/// What a key is for; `None` if it is for nothing here.
pub(super) fn read(event: KeyEvent) -> Option<Key> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let edit = match (control, alt, event.code) {
        (true, false, KeyCode::Char(letter)) => return with_control(letter.to_ascii_lowercase()),
        (false, true, KeyCode::Char(letter)) => return with_alt(letter.to_ascii_lowercase()).map(Key::Edit),
        // Both at once is how some keyboards write what stands third on a key.
        (_, _, KeyCode::Char(letter)) => Edit::Insert(letter),
        (_, _, KeyCode::Enter) if alt || shift => Edit::Insert('\n'),
        (_, _, KeyCode::Enter) => return Some(Key::Enter),
        (_, _, KeyCode::Tab) => return Some(Key::Tab),
        (_, _, KeyCode::BackTab) => return Some(Key::BackTab),
        (_, _, KeyCode::Esc) => return Some(Key::Escape),
        (_, _, KeyCode::Up) => return Some(Key::Up),
        (_, _, KeyCode::Down) => return Some(Key::Down),
        (false, false, KeyCode::Left) => Edit::Left,
        (false, false, KeyCode::Right) => Edit::Right,
        (_, _, KeyCode::Left) => Edit::WordLeft,
        (_, _, KeyCode::Right) => Edit::WordRight,
        (true, _, KeyCode::Home) => Edit::Start,
        (true, _, KeyCode::End) => Edit::End,
        (false, _, KeyCode::Home) => Edit::LineStart,
        (false, _, KeyCode::End) => Edit::LineEnd,
        (false, false, KeyCode::Backspace) => Edit::Backspace,
        (_, _, KeyCode::Backspace) => Edit::BackspaceWord,
        (false, false, KeyCode::Delete) => Edit::Delete,
        (_, _, KeyCode::Delete) => Edit::DeleteWord,
        _ => return None,
    };
    Some(Key::Edit(edit))
}

fn with_control(letter: char) -> Option<Key> {
    Some(match letter {
        'a' => Key::Edit(Edit::LineStart),
        'b' => Key::Edit(Edit::Left),
        'c' => Key::Interrupt,
        'd' => Key::EndOfInput,
        'e' => Key::Edit(Edit::LineEnd),
        'f' => Key::Edit(Edit::Right),
        'g' => Key::Edit(Edit::Redo),
        'h' => Key::Edit(Edit::Backspace),
        'j' => Key::Enter,
        'k' => Key::Edit(Edit::CutToLineEnd),
        'l' => Key::ClearScreen,
        'n' => Key::Down,
        'p' => Key::Up,
        'r' => Key::Search,
        't' => Key::Edit(Edit::Swap),
        'u' => Key::Edit(Edit::CutToStart),
        'w' => Key::Edit(Edit::CutWordLeft),
        'y' => Key::Edit(Edit::Yank),
        'z' => Key::Suspend,
        // Ctrl-_ and Ctrl-/ come as Ctrl-7 from a terminal.
        '_' | '/' | '7' => Key::Edit(Edit::Undo),
        _ => return None,
    })
}

fn with_alt(letter: char) -> Option<Edit> {
    Some(match letter {
        'b' => Edit::WordLeft,
        'f' => Edit::WordRight,
        'd' => Edit::CutWordRight,
        'u' => Edit::Uppercase,
        'l' => Edit::Lowercase,
        'c' => Edit::Capitalize,
        '<' => Edit::Start,
        '>' => Edit::End,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_typed_and_with_control_or_alt_they_do_something() {
        let read = |code, modifiers| read(KeyEvent::new(code, modifiers));
        let typed = |letter| Some(Key::Edit(Edit::Insert(letter)));
        assert_eq!(read(KeyCode::Char('a'), KeyModifiers::NONE), typed('a'));
        assert_eq!(read(KeyCode::Char('A'), KeyModifiers::SHIFT), typed('A'));
        assert_eq!(read(KeyCode::Char('@'), KeyModifiers::CONTROL | KeyModifiers::ALT), typed('@'));
        assert_eq!(read(KeyCode::Char('a'), KeyModifiers::CONTROL), Some(Key::Edit(Edit::LineStart)));
        assert_eq!(read(KeyCode::Char('z'), KeyModifiers::CONTROL), Some(Key::Suspend));
        assert_eq!(read(KeyCode::Char('7'), KeyModifiers::CONTROL), Some(Key::Edit(Edit::Undo)));
        assert_eq!(read(KeyCode::Char('b'), KeyModifiers::ALT), Some(Key::Edit(Edit::WordLeft)));
        assert_eq!(read(KeyCode::Char('x'), KeyModifiers::ALT), None);
        assert_eq!(read(KeyCode::Enter, KeyModifiers::NONE), Some(Key::Enter));
        assert_eq!(read(KeyCode::Enter, KeyModifiers::ALT), typed('\n'));
        assert_eq!(read(KeyCode::F(1), KeyModifiers::NONE), None);
    }
}
