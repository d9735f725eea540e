//! `causerie demo` on a terminal: after the triangle its user is one of the peers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::screen::Screen;

#[test]
fn the_demonstration_ends_in_a_prompt_among_the_three() {
    let Some(screen) = Screen::running(140, 50, &["demo"]) else { return };
    screen.until("the verification", |rows| rows.iter().any(|row| row.contains("OK, causally ordered and complete")));
    screen.until("a prompt among the three", |rows| {
        let here = |name: &str| rows.iter().any(|row| row.contains(&format!("{name} is here")));
        here("alice") && here("bob") && here("carol")
    });
    let rows = screen.rows();
    let link = rows.iter().find_map(|row| row.trim().strip_prefix("http://")).expect("a link to the page");
    let (address, code) = link.split_once("/#").expect("a code in the link");
    assert_eq!(code.len(), 32, "{link}");
    assert!(get(address).starts_with("HTTP/1.1 200 OK"), "the page of {link}");
    screen.write("hello everybody");
    screen.press(&["Enter"]);
    screen.until("my own line", |rows| rows.iter().any(|row| row.contains("hello everybody")));
    screen.press(&["C-d"]);
    assert_eq!(screen.left(), 0);
}

/// What a server answers to a request for its first page.
fn get(address: &str) -> String {
    let mut server = TcpStream::connect(address).expect("the page can be reached");
    write!(server, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it takes a request");
    let mut answer = String::new();
    server.read_to_string(&mut answer).expect("it answers");
    answer
}
