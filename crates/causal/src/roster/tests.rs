use std::vec::Vec;

use super::*;

#[test]
fn each_process_has_a_number_of_its_own_up_to_the_limit() {
    let mut roster = Roster::new("me", 3);
    let numbers = ["a", "b", "a", "me"].map(|id| roster.intern(id).unwrap().position());
    assert_eq!(numbers, [1, 2, 1, 0]);
    assert_eq!(roster.intern("c"), Err(Full { limit: 3 }));
    assert_eq!((roster.index(&"b"), roster.index(&"c")), (Some(Index::at(2)), None));
    assert_eq!((roster.len(), *roster.id(Index::at(2))), (3, "b"));
    let all: Vec<_> = roster.iter().map(|(index, id)| (index.position(), *id)).collect();
    assert_eq!(all, [(0, "me"), (1, "a"), (2, "b")]);
}

#[test]
fn its_owner_has_room_whatever_the_limit() {
    let mut roster = Roster::new("me", 0);
    assert_eq!(roster.intern("me"), Ok(Index::ME));
    assert_eq!(roster.intern("a"), Err(Full { limit: 1 }));
}
