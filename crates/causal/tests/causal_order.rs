//! Whatever is said, and whatever the network does: causal order, exactly once, everything in the end, and the book's states.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod world;

use proptest::prelude::*;
use world::{World, program};

proptest! {
    #[test]
    fn any_program_over_any_network_is_delivered_in_causal_order_as_the_book_does(program in program()) {
        let mut world = World::new();
        world.run(&program);
        world.settle();
    }
}
