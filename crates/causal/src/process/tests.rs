use std::vec::Vec;

use crate::*;

type Peer = Process<&'static str, &'static str>;

fn three() -> [Peer; 3] {
    ["a", "b", "c"].map(|name| Process::new(name, Config::default()))
}

fn deliver(process: &mut Peer) -> Vec<&'static str> {
    core::iter::from_fn(|| process.next_delivery()).map(|delivery| delivery.message).collect()
}

#[test]
fn the_answer_waits_for_the_question() {
    let [mut a, mut b, mut c] = three();
    let question = a.send(["b", "c"]).unwrap();
    assert_eq!(b.accept(&question, "question").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut b), ["question"]);
    let answer = b.send(["a", "c"]).unwrap();

    assert_eq!(c.accept(&answer, "answer").unwrap(), Receipt::Held);
    assert_eq!(deliver(&mut c), Vec::<&str>::new());
    let [author_a, author_b] = ["a", "b"].map(|id| c.roster().index(&id).unwrap());
    assert_eq!(c.waits_for(author_b, 1), [(author_a, 1)]);
    assert_eq!(c.missing().collect::<Vec<_>>(), [Missing { author: author_a, clock: 1, waiting: 1 }]);

    assert_eq!(c.accept(&question, "question").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut c), ["question", "answer"]);
    assert_eq!((c.held(), c.missing().count()), (0, 0));
    assert_eq!(a.accept(&answer, "answer").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut a), ["answer"]);
}
