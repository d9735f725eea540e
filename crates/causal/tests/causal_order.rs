//! Whatever the processes send and whatever the network does, messages are delivered in causal order and exactly once, all are
//! delivered in the end, and the states are the book's. Here a few hundred programs run, and a failing one is made smaller.
//! `programs.rs` runs a hundred thousand.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod world;

use causal::Markers;
use proptest::prelude::*;
use world::{PROCESSES, Pick, Sizes, Step, World};

fn program() -> impl Strategy<Value = Vec<Step>> {
    let pick = || any::<u32>().prop_map(Pick);
    let step = prop_oneof![
        1 => Just(Step::Join),
        1 => pick().prop_map(Step::Leave),
        // To some, to one, or to all: each makes another kind of entries.
        4 => (pick(), any::<u16>()).prop_map(|(who, to)| Step::Multicast(who, to)),
        4 => (pick(), 0..PROCESSES).prop_map(|(who, bit)| Step::Multicast(who, 1 << bit)),
        3 => pick().prop_map(|who| Step::Multicast(who, u16::MAX)),
        18 => (pick(), any::<bool>()).prop_map(|(copy, reduced)| Step::Arrive(copy, reduced)),
        2 => pick().prop_map(Step::Duplicate),
        1 => pick().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #[test]
    fn any_program_over_any_network_is_delivered_in_causal_order_as_by_the_book(program in program()) {
        let mut world = World::new(3, Markers::Beyond(2));
        world.run(program);
        world.settle();
        let Sizes { remembered, sent } = world.sizes();
        prop_assert!(remembered.0 <= 2 * remembered.1 && sent.0 <= 2 * sent.1, "{:?} {:?}", remembered, sent);
    }
}
