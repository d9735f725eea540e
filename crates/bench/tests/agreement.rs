//! All algorithms deliver the same messages at the same arrivals: as soon as causal order permits, and no sooner.

use bench::{Contestant, Run, Traffic};

const RUN: Run = Run { size: 8, traffic: Traffic::ALL, delay: 0.5, warm_up: 50, measured: 300, seed: 7 };

#[test]
fn all_rivals_deliver_the_same_at_the_same_arrivals() {
    for traffic in [Traffic::ALL, Traffic::DIRECT, Traffic::chat(4), Traffic::drawn(50, 3)] {
        let run = Run { traffic, ..RUN };
        let exact = Contestant::EveryMarker.run(&run);
        assert!(exact.held > 0.02, "{traffic:?}: {} of the copies wait", exact.held);
        for rival in Contestant::RIVALS.into_iter().chain([Contestant::NoMarker]) {
            if rival.excuse(&run).is_none() {
                assert_eq!(rival.run(&run).deliveries, exact.deliveries, "{traffic:?}: {}", rival.name());
            }
        }
    }
}
