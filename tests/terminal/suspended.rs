//! Ctrl-Z gives the terminal back to the shell, and `fg` the prompt back to its user.

use crate::screen::{Chat, PROMPT, signal};

#[test]
fn control_z_stops_and_fg_goes_on_with_what_was_typed() {
    let Some(mut screen) = Chat::in_shell(80, 24) else { return };
    screen.write("half a li");
    screen.until_line("half a li");
    screen.press(&["C-z"]);
    screen.until("the shell", |rows| rows.iter().any(|row| row.contains("Stopped")));
    // The shell's own line editor is not what is asked for: a program sees the terminal as it was before.
    screen.write("sh -c 'stty -a | tr -s \" ;\" \"\\n\" | grep -x -e icanon -e echo -e isig'");
    screen.press(&["Enter"]);
    screen.until("a terminal as usual", |rows| {
        ["icanon", "echo", "isig"].iter().all(|mode| rows.iter().any(|row| row == mode))
    });
    screen.bob.say("while alice is away");
    screen.write("fg");
    screen.press(&["Enter"]);
    screen.until("what came meanwhile", |rows| rows.iter().any(|row| row.ends_with("while alice is away")));
    screen.until("the prompt with what was typed", |rows| {
        rows.iter().rfind(|row| !row.is_empty()).is_some_and(|row| row.as_str() == format!("{PROMPT} half a li"))
    });
    screen.write("ne");
    screen.press(&["Enter"]);
    screen.bob.hears("half a line");
    // Raw again: keys are keys, and a second time works as the first.
    screen.write("xyz");
    screen.press(&["C-a", "C-k"]);
    screen.until_line("");
    screen.press(&["C-z"]);
    screen.until("the shell", |rows| rows.iter().filter(|row| row.contains("Stopped")).count() == 2);
    screen.write("fg");
    screen.press(&["Enter"]);
    screen.until_line("");
    screen.write("after the second time");
    screen.press(&["Enter"]);
    screen.bob.hears("after the second time");
    screen.press(&["C-d"]);
    screen.bob.loses("alice");
}

#[test]
fn a_process_that_is_stopped_from_elsewhere_has_its_prompt_back() {
    let Some(mut screen) = Chat::in_shell(80, 24) else { return };
    screen.write("half a li");
    screen.until_line("half a li");
    let alice = screen.child();
    for (times, stop) in ["-STOP", "-TSTP"].into_iter().enumerate() {
        signal(stop, &alice);
        let stopped = |row: &&String| row.contains("Stopped");
        screen.until("the shell", |rows| rows.iter().filter(stopped).count() == times + 1);
        let text = format!("while alice is away by {stop}");
        screen.bob.say(&text);
        screen.write("fg");
        screen.press(&["Enter"]);
        screen.until("what came meanwhile", |rows| rows.iter().any(|row| row.ends_with(&text)));
        screen.until_line("half a li");
    }
    screen.write("ne");
    screen.press(&["Enter"]);
    screen.bob.hears("half a line");
}

#[test]
fn without_a_shell_to_go_back_to_control_z_does_nothing() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("half a li");
    screen.until_line("half a li");
    screen.press(&["C-z"]);
    screen.hears_while_typing(&["still here"], "half a li");
    screen.write("ne");
    screen.press(&["Enter"]);
    screen.bob.hears("half a line");
}
