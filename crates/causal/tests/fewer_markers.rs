//! The cost of leaving markers out, where it is highest: among many processes that write to one other at a time, so that
//! each has much to remember. It stays within the factor that `docs/causal.md` gives. Without any markers it exceeds that
//! factor.
#![expect(clippy::unwrap_used, reason = "a test may")]

use causal::{Config, Envelope, Markers, Process};

const PROCESSES: u8 = 32;
const MESSAGES: u64 = 4_000;

/// Bytes sent, and entries remembered after each delivery; both in total.
#[derive(Clone, Copy, Debug)]
struct Cost {
    sent: usize,
    remembered: usize,
}

/// Direct messages between any two processes. On average a dozen are on their way, and they arrive in any order.
fn direct(markers: Markers) -> Cost {
    let config = Config { markers, ..Config::default() };
    let mut processes: Vec<_> = (0..PROCESSES).map(|id| Process::<u8, ()>::new(id, config.clone())).collect();
    let mut wire: Vec<(u8, Envelope<u8>)> = Vec::new();
    let mut cost = Cost { sent: 0, remembered: 0 };
    let mut chance = 1_u64;
    let mut below = |end: usize| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) as usize % end
    };
    for _ in 0..MESSAGES {
        let (author, to) = (below(PROCESSES.into()), below(PROCESSES.into()) as u8);
        let envelope = processes[author].send([to]).unwrap();
        cost.sent += envelope.to_bytes().len();
        if envelope.is_for(&to) {
            wire.push((to, envelope));
        }
        while wire.len() > below(24) {
            let (to, envelope) = wire.swap_remove(below(wire.len()));
            let process = &mut processes[usize::from(to)];
            process.accept(&envelope, ()).unwrap();
            while process.next_delivery().is_some() {}
            cost.remembered += process.stats().log;
        }
    }
    cost
}

#[test]
fn fewer_markers_cost_at_most_a_quarter_more_even_with_direct_messages_only() {
    let exact = direct(Markers::Always);
    let within = |cost: Cost| 4 * cost.sent <= 5 * exact.sent && 4 * cost.remembered <= 5 * exact.remembered;
    let by_default = direct(Config::default().markers);
    assert!(within(by_default), "{by_default:?}, with every marker {exact:?}");
    let without = direct(Markers::Beyond(usize::MAX));
    assert!(!within(without), "without any markers it would cost more: {without:?}, with every marker {exact:?}");
}
