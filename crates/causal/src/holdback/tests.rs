use super::*;
use crate::Set;

#[test]
fn an_entry_is_void_above_the_first_clock_and_up_to_the_second() {
    let [author, other] = [1, 2].map(Index::at);
    let stamp = Stamp { sender: other, clock: 1, dests: Set::new(), log: [].into_iter().collect() };
    let mut pending = Pending::new(stamp, 0, ());
    pending.void.push((author, 3, 5));
    let void = |index| (1..8).filter(|&clock| pending.is_void(index, clock)).collect::<Vec<Clock>>();
    assert_eq!(void(author), [4, 5]);
    assert_eq!(void(other), []);
}
