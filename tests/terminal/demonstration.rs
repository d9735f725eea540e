//! `causerie demo` on a terminal: after the triangle its user is one of the peers.

use crate::screen::Screen;

#[test]
fn the_demonstration_ends_in_a_prompt_among_the_three() {
    let Some(screen) = Screen::running(140, 50, &["demo"]) else { return };
    screen.until("the verification", |rows| rows.iter().any(|row| row.contains("OK, causally ordered and complete")));
    screen.until("a prompt among the three", |rows| {
        let here = |name: &str| rows.iter().any(|row| row.contains(&format!("{name} is here")));
        here("alice") && here("bob") && here("carol")
    });
    screen.write("hello everybody");
    screen.press(&["Enter"]);
    screen.until("my own line", |rows| rows.iter().any(|row| row.contains("hello everybody")));
    screen.press(&["C-d"]);
    assert_eq!(screen.left(), 0);
}
