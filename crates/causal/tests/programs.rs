//! A hundred thousand random programs of up to twelve processes, compared with the book's algorithm after every step. `world`
//! describes what is compared. `CAUSAL_PROGRAMS` sets the number of programs. If a program fails, the test prints the
//! command that runs it alone.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may")]

mod world;

use std::panic::{catch_unwind, resume_unwind};
use std::{env, thread};

use causal::{Config, Markers};
use world::{PROCESSES, Pick, Sizes, Step, World};

/// The numbers of one program, from its seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick(&mut self) -> Pick {
        Pick(self.next() as u32)
    }
}

/// The traffic of a program: how likely each kind of message is, and how long a copy is on its way.
struct Traffic {
    to_all: u64,
    to_one: u64,
    arrivals: u64,
}

fn step(random: &mut SplitMix, traffic: &Traffic) -> Step {
    let who = random.pick();
    match random.below(10 + traffic.arrivals) {
        0 if random.below(4) == 0 => Step::Join,
        0 if random.below(4) == 0 => Step::Leave(who),
        0 => Step::Restart(who),
        1 => Step::Duplicate(who),
        2..10 => match random.below(10) {
            kind if kind < traffic.to_all => Step::Multicast(who, u16::MAX),
            kind if kind < traffic.to_all + traffic.to_one => Step::Multicast(who, 1 << random.below(PROCESSES.into())),
            _ => Step::Multicast(who, random.next() as u16),
        },
        _ => Step::Arrive(who, random.below(2) == 0),
    }
}

/// Runs the program of a seed.
fn run(seed: u64) -> Sizes {
    let mut random = SplitMix(seed);
    let markers = if random.below(2) == 0 { Config::default().markers } else { Markers::Beyond(2) };
    let mut world = World::new(2 + random.below(11) as usize, markers);
    let traffic = Traffic { to_all: random.below(6), to_one: random.below(6), arrivals: 3 + random.below(40) };
    // Mostly short programs; some long ones, in which processes remember much.
    let longest = if random.below(8) == 0 { 128 } else { 48 };
    let length = random.below(longest);
    world.run((0..length).map(|_| step(&mut random, &traffic)));
    world.settle();
    let sizes = world.sizes();
    let Sizes { remembered, sent } = sizes;
    assert!(remembered.0 <= 2 * remembered.1, "fewer markers remember more than twice as much: {remembered:?} entries");
    assert!(4 * sent.0 <= 5 * sent.1, "fewer markers send more than a quarter more: {sent:?} bytes");
    sizes
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// Runs one thread's share of the programs.
fn share(seeds: impl Iterator<Item = u64>) -> Sizes {
    let mut total = Sizes::default();
    for seed in seeds {
        let Ok(sizes) = catch_unwind(|| run(seed)) else {
            panic!(
                "program {seed} failed, see above. To run it alone:\n\
                 CAUSAL_SEED={seed} cargo test -p causal-multicast --test programs"
            );
        };
        total += sizes;
    }
    total
}

#[test]
fn each_form_delivers_and_remembers_the_same_as_the_book() {
    if let Some(seed) = number("CAUSAL_SEED") {
        run(seed);
        return;
    }
    let count = number("CAUSAL_PROGRAMS").unwrap_or(100_000);
    let mut total = Sizes::default();
    thread::scope(|scope| {
        let shares = [0, 1].map(|half| scope.spawn(move || share((half..count).step_by(2))));
        for share in shares {
            total += share.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    let Sizes { remembered, sent } = total;
    println!("entries remembered, with fewer markers and all: {remembered:?}; bytes sent: {sent:?}");
    assert!(
        20 * remembered.0 <= 21 * remembered.1,
        "over all programs, fewer markers remember at most a twentieth more: {remembered:?}"
    );
    assert!(sent.0 <= sent.1, "over all programs, fewer markers send no more: {sent:?}");
}
