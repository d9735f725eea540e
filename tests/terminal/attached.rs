//! Prompts that come and go at one peer.

use crate::screen::Attached;

#[test]
fn two_prompts_at_one_peer_see_the_same_and_one_can_leave() {
    let Some(mut host) = Attached::new(100, 30) else { return };
    let (one, other) = (&host.one, &host.other);
    host.bob.say("hello to both");
    for screen in [one, other] {
        screen.until("the message", |rows| rows.iter().any(|row| row.ends_with("bob: hello to both")));
    }
    // Completion knows who was there before the prompt was.
    one.write("@bo");
    one.press(&["Tab"]);
    one.until_line("@bob");
    one.write("from one");
    one.press(&["Enter"]);
    host.bob.hears("from one");
    other.until("what was written at the other", |rows| rows.iter().any(|row| row.ends_with("from one")));
    one.write("-quit");
    one.press(&["Enter"]);
    assert_eq!(one.left(), 0);
    // A prompt opens with what was said last.
    let Some(third) = host.open(100, 30) else { return };
    third.until("what was said before", |rows| {
        let last = ["bob: hello to both", "alice: from one"];
        last.iter().all(|said| rows.iter().any(|row| row.ends_with(said)))
    });
    drop(third);
    other.write("half a line");
    other.until_line("half a line");
    host.bob.say("one is gone");
    other.until("the message", |rows| rows.iter().any(|row| row.ends_with("one is gone")));
    other.until_line("half a line");
    other.press(&["Enter"]);
    host.bob.hears("half a line");
    assert_eq!(host.alice.end("-TERM").code(), Some(0));
    assert_eq!(other.left(), 1);
    let rows = other.rows();
    assert!(rows.iter().any(|row| row.contains("causerie: the peer has left")), "{}", rows.join("\n"));
}

#[test]
fn logging_out_at_one_prompt_stops_the_peer_and_tells_the_other_prompt_why() {
    let Some(mut host) = Attached::new(100, 30) else { return };
    let (one, other) = (&host.one, &host.other);
    one.write("-logout");
    one.press(&["Enter"]);
    assert_eq!(one.left(), 0);
    assert_eq!(other.left(), 0);
    let rows = other.rows();
    assert!(rows.iter().any(|row| row.ends_with("alice has logged out")), "{}", rows.join("\n"));
    assert_eq!(host.alice.ends().code(), Some(0));
    host.bob.loses("alice");
}
