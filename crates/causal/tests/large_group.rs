//! Among more than 128 processes sets of destinations share memory, and a process is taken out of a set only when it has to be.
//! The log that a process shows and sends is the same as in a small group.
#![expect(clippy::unwrap_used, reason = "a test may")]

use causal::{Config, Index, Markers, Process, Receipt, Set};

const PROCESSES: u16 = 200;

type Peer = Process<u16, u32>;

fn group(markers: Markers) -> Vec<Peer> {
    let config = Config { markers, ..Config::default() };
    let mut peers: Vec<Peer> = (0..PROCESSES).map(|id| Peer::new(id, config.clone())).collect();
    for peer in &mut peers {
        (0..PROCESSES).for_each(|id| _ = peer.intern(id).unwrap());
    }
    peers
}

#[test]
fn a_process_does_not_name_itself_in_what_it_sends_or_shows() {
    [Markers::Always, Markers::Beyond(16)].into_iter().for_each(question_and_answer);
}

fn question_and_answer(markers: Markers) {
    let mut peers = group(markers);
    let everybody = || 0..PROCESSES;
    let question = peers[150].send(everybody()).unwrap();
    assert_eq!(peers[199].accept(&question, 1).unwrap(), Receipt::Delivered);
    assert_eq!(peers[199].next_delivery().map(|delivery| delivery.message), Some(1));
    let me = peers[199].me();
    let others: Vec<u16> = everybody().filter(|id| ![150, 199].contains(id)).collect();
    assert!(peers[199].snapshot().log.iter().all(|entry| !entry.dests.contains(me)));

    let answer = peers[199].send([3]).unwrap();
    let entry = answer.log().next().unwrap();
    assert_eq!((entry.sender(), entry.clock()), (&150, 1));
    assert!(entry.dests().eq(&others), "all but the author and the process that has it");
    assert_eq!((peers[199].stats().log, peers[199].stats().log_live), (2, 2));

    assert_eq!(peers[3].accept(&answer, 2).unwrap(), Receipt::Held);
    assert_eq!(peers[3].accept(&question, 1).unwrap(), Receipt::Delivered);
    let delivered: Vec<u32> =
        std::iter::from_fn(|| peers[3].next_delivery()).map(|delivery| delivery.message).collect();
    assert_eq!(delivered, [1, 2]);
    let remembered = &peers[3].snapshot().log;
    let about = |author: Index| remembered.iter().find(|entry| entry.sender == author).map(|entry| entry.dests.len());
    let index = |id: u16| peers[3].roster().index(&id).unwrap();
    assert_eq!((about(index(150)), about(index(199))), (Some(197), Some(0)), "nor the process that has it now");
}

#[test]
fn a_forgotten_process_is_not_named_any_more() {
    let mut peers = group(Markers::Always);
    let question = peers[150].send(0..PROCESSES).unwrap();
    peers[7].accept(&question, 1).unwrap();
    peers[7].next_delivery().unwrap();
    let gone = peers[7].roster().index(&180).unwrap();
    peers[7].forget(gone);
    let remembered = peers[7].snapshot().log;
    assert_eq!(remembered.iter().map(|entry| entry.dests.len()).collect::<Vec<_>>(), [197]);
    assert!(remembered.iter().all(|entry| !entry.dests.contains(gone)));

    let another = peers[151].send(0..PROCESSES).unwrap();
    peers[7].accept(&another, 2).unwrap();
    peers[7].next_delivery().unwrap();
    assert!(
        peers[7].snapshot().log.iter().all(|entry| !entry.dests.contains(gone)),
        "nor in messages that arrive later"
    );
    let everybody: Set = peers[7].roster().iter().map(|(index, _)| index).collect();
    assert!(!peers[7].multicast(&everybody).dests.contains(gone));
}
