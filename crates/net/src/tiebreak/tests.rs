mod mesh;

use proptest::prelude::*;

use super::*;

/// The bounds of [`Limits`](crate::Limits).
const TURN: (Duration, Duration) = (Duration::from_millis(2500), Duration::from_millis(3500));
const FALLBACK: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(30));
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

fn machine(id: u8, r: u64, seed: u64) -> TieBreak {
    let timing = Timing { turn: TURN, fallback: FALLBACK, backoff: BACKOFF, peers: 8 };
    TieBreak::new([id; 32], r, timing, seed)
}

fn start(r: u64) -> Start {
    Start { r, at: 0 }
}

/// Two peers and what the network lets through.
struct Pair {
    machines: [TieBreak; 2],
    /// Whether a dial by this one gets through.
    can_dial: [bool; 2],
    dials: [Vec<Instant>; 2],
    linked: bool,
    now: Instant,
}

impl Pair {
    fn new(ids: [u8; 2], r: [u64; 2], seed: u64, can_dial: [bool; 2]) -> Self {
        Self {
            machines: [machine(ids[0], r[0], seed), machine(ids[1], r[1], seed ^ 0x5555)],
            can_dial,
            dials: [Vec::new(), Vec::new()],
            linked: false,
            now: Instant::now(),
        }
    }

    fn starts(&self) -> [Start; 2] {
        [start(self.machines[0].r), start(self.machines[1].r)]
    }

    fn hear(&mut self, who: usize) {
        let other = self.machines[1 - who].me;
        let start = self.starts()[1 - who];
        assert!(self.machines[who].heard(self.now, other, start, Source::Announced));
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            for who in [0, 1] {
                while let Some(action) = self.machines[who].poll(self.now, true) {
                    match action {
                        Action::Announce => {}
                        Action::Dial(peer) => {
                            assert_eq!(peer, self.machines[1 - who].me);
                            self.dials[who].push(self.now);
                            if self.can_dial[who] {
                                assert!(!self.linked, "dialled although linked");
                                self.linked = true;
                                let [start0, start1] = self.starts();
                                let [id0, id1] = [self.machines[0].me, self.machines[1].me];
                                self.machines[0].linked(self.now, id1, start1);
                                self.machines[1].linked(self.now, id0, start0);
                            } else {
                                self.machines[who].dial_failed(self.now, peer);
                            }
                        }
                    }
                }
            }
            let next = self.machines.iter().filter_map(|machine| machine.poll_timeout(true)).map(|(at, _)| at).min();
            assert!(next.is_none_or(|next| next > self.now), "what is due has been done");
            self.now = next.unwrap_or(end).min(end);
        }
    }

    fn cut(&mut self) {
        self.linked = false;
        for who in [0, 1] {
            let other = self.machines[1 - who].me;
            self.machines[who].lost(self.now, other, Lost::Broken);
        }
    }

    fn total(&self) -> usize {
        self.dials[0].len() + self.dials[1].len()
    }
}

#[test]
fn a_different_start_counts_only_until_one_has_had_a_link() {
    let (mut machine, now, peer) = (machine(1, 5, 1), Instant::now(), [2; 32]);
    assert!(!machine.knows_another(&peer, &start(8)), "no peer was heard of");
    machine.heard(now, peer, start(7), Source::Introduced);
    assert!(machine.knows_another(&peer, &start(8)) && !machine.knows_another(&peer, &start(7)));
    machine.linked(now, peer, start(7));
    machine.lost(now, peer, Lost::Broken);
    assert!(!machine.knows_another(&peer, &start(8)), "it has restarted");
}

prop_compose! {
    /// Two different ids, and numbers that are often equal.
    fn pairs()(first in any::<u8>(), step in 1u8..255, r in prop::array::uniform2(0u64..3), seed in any::<u64>())
        -> ([u8; 2], [u64; 2], u64)
    {
        ([first, first.wrapping_add(step)], r, seed)
    }
}

proptest! {
    /// The claim of the design: exactly one of the two dials. It is the one with the smaller number, if it hears of the
    /// other in time.
    #[test]
    fn exactly_one_of_the_two_dials(
        (ids, r, seed) in pairs(),
        first in 0..2usize,
        lag in 0..10_000u64,
        again in any::<bool>(),
    ) {
        let mut pair = Pair::new(ids, r, seed, [true, true]);
        pair.hear(first);
        pair.run(Duration::from_millis(lag));
        pair.hear(1 - first);
        if again {
            pair.hear(first);
        }
        pair.run(Duration::from_secs(120));
        let dialer = usize::from((r[0], ids[0]) > (r[1], ids[1]));
        prop_assert_eq!(pair.total(), 1);
        if first == dialer || Duration::from_millis(lag) < TURN.0 {
            prop_assert_eq!(pair.dials[dialer].len(), 1);
        }
        prop_assert!(pair.linked);
    }

    /// If that one cannot dial, the other does: not before the bound begins, and not after it ends.
    #[test]
    fn if_the_dialer_cannot_dial_the_other_does_after_the_bound((ids, r, seed) in pairs(), heard_by_dialer in any::<bool>()) {
        let dialer = usize::from((r[0], ids[0]) > (r[1], ids[1]));
        let mut can_dial = [true, true];
        can_dial[dialer] = false;
        let mut pair = Pair::new(ids, r, seed, can_dial);
        let begin = pair.now;
        pair.hear(1 - dialer);
        if heard_by_dialer {
            pair.hear(dialer);
        }
        pair.run(Duration::from_secs(60));
        prop_assert!(pair.linked);
        prop_assert_eq!(pair.dials[1 - dialer].len(), 1);
        let waited = pair.dials[1 - dialer][0] - begin;
        prop_assert!(waited >= TURN.0 && waited <= TURN.1, "{waited:?}");
        prop_assert_eq!(pair.dials[dialer].is_empty(), !heard_by_dialer);
    }

    /// A broken link comes back soon by the same rule, with one dial.
    #[test]
    fn a_broken_link_comes_back((ids, r, seed) in pairs(), lived in 0..100u64) {
        let mut pair = Pair::new(ids, r, seed, [true, true]);
        pair.hear(0);
        pair.hear(1);
        pair.run(Duration::from_secs(1 + lived));
        pair.cut();
        pair.run(Duration::from_secs(5));
        prop_assert!(pair.linked);
        prop_assert_eq!(pair.total(), 2);
    }

    /// While nothing gets through, the dials become rarer, down to one per longest pause, and never stop for good.
    #[test]
    fn failures_back_off((ids, r, seed) in pairs()) {
        let mut pair = Pair::new(ids, r, seed, [true, true]);
        pair.hear(0);
        pair.hear(1);
        pair.run(Duration::from_secs(1));
        pair.can_dial = [false, false];
        pair.cut();
        pair.run(Duration::from_secs(600));
        let dials = pair.total();
        prop_assert!((30..100).contains(&dials), "{dials} dials in ten minutes");
        pair.can_dial = [true, true];
        pair.run(Duration::from_secs(60));
        prop_assert!(pair.linked);
    }
}

#[test]
fn a_goodbye_is_not_followed_by_a_dial() {
    let mut pair = Pair::new([1, 2], [1, 2], 0, [true, true]);
    pair.hear(0);
    pair.hear(1);
    pair.run(Duration::from_secs(1));
    for who in [0, 1] {
        let other = pair.machines[1 - who].me;
        pair.machines[who].lost(pair.now, other, Lost::Goodbye);
    }
    pair.run(Duration::from_secs(100));
    assert_eq!(pair.total(), 1);
}

#[test]
fn a_refusal_is_not_repeated_but_a_new_start_is_tried() {
    let mut tiebreak = machine(1, 1, 0);
    let now = Instant::now();
    tiebreak.heard(now, [2; 32], start(5), Source::Announced);
    assert_eq!(tiebreak.poll(now, true), Some(Action::Dial([2; 32])));
    tiebreak.refused(now, [2; 32]);
    tiebreak.heard(now, [2; 32], start(5), Source::Announced);
    assert_eq!(tiebreak.poll(now + Duration::from_secs(100), true), None);
    tiebreak.heard(now, [2; 32], Start { r: 6, at: 1 }, Source::Announced);
    assert_eq!(tiebreak.poll(now + Duration::from_secs(100), true), Some(Action::Dial([2; 32])));
}

/// Nothing vouches for the announcement. The new start itself has no link, so it dials if its turn does not come.
#[test]
fn hearsay_about_a_linked_peer_changes_nothing() {
    let mut tiebreak = machine(1, 1, 0);
    let mut now = Instant::now();
    tiebreak.linked(now, [2; 32], Start { r: 5, at: 7 });
    assert!(!tiebreak.heard(now, [2; 32], Start { r: 6, at: 6 }, Source::Announced));
    assert!(tiebreak.heard(now, [2; 32], Start { r: 6, at: 8 }, Source::Announced), "its addresses are useful");
    assert_eq!(tiebreak.poll_timeout(true), None);
    now += Duration::from_secs(1);
    assert_eq!(tiebreak.poll(now, true), None);
    // It is 1 against 5, whatever was heard meanwhile.
    tiebreak.heard(now, [2; 32], Start { r: 0, at: 9 }, Source::Announced);
    tiebreak.lost(now, [2; 32], Lost::Broken);
    assert_eq!(tiebreak.poll(now + BACKOFF.0, true), Some(Action::Dial([2; 32])));
}

#[test]
fn starts_that_are_never_met_are_dialled_less_and_less_often() {
    let mut tiebreak = machine(1, 1, 0);
    let begin = Instant::now();
    let mut dials = 0;
    for heard in 0..600u64 {
        let now = begin + Duration::from_millis(heard * 100);
        tiebreak.heard(now, [2; 32], Start { r: 5, at: heard }, Source::Announced);
        while let Some(action) = tiebreak.poll(now, true) {
            if action == Action::Dial([2; 32]) {
                dials += 1;
                tiebreak.dial_failed(now, [2; 32]);
            }
        }
    }
    assert!((5..15).contains(&dials), "{dials} dials in a minute");
}

#[test]
fn knows_no_more_than_the_bound_and_never_itself() {
    let mut tiebreak = machine(1, 1, 0);
    let now = Instant::now();
    assert!(!tiebreak.heard(now, [1; 32], start(5), Source::Announced));
    let known = |tiebreak: &TieBreak| (0..=255).filter(|id| tiebreak.knows(&[*id; 32])).count();
    for id in 100..200 {
        tiebreak.heard(now, [id; 32], start(5), Source::Introduced);
    }
    assert_eq!(known(&tiebreak), 6, "introductions leave room");
    let later = now + Duration::from_secs(1);
    for id in 2..100 {
        assert!(tiebreak.heard(later, [id; 32], start(5), Source::Announced));
    }
    assert_eq!(known(&tiebreak), 8);
    assert!(
        !tiebreak.heard(later, [200; 32], start(5), Source::Introduced),
        "which puts out none that announced itself"
    );
}

#[test]
fn made_up_peers_delay_neither_a_newcomer_nor_a_peer_that_had_a_link() {
    let mut tiebreak = machine(1, 1, 0);
    let mut now = Instant::now();
    tiebreak.linked(now, [100; 32], start(5));
    for id in 2..100 {
        tiebreak.heard(now, [id; 32], start(5), Source::Announced);
    }
    tiebreak.lost(now, [100; 32], Lost::Broken);
    now += BACKOFF.0;
    assert_eq!(tiebreak.poll(now, true), Some(Action::Dial([100; 32])));
    for _ in 0..3 {
        let Some(Action::Dial(made_up)) = tiebreak.poll(now, true) else { panic!("they are dialled") };
        tiebreak.dial_failed(now, made_up);
    }
    now += BACKOFF.0;
    tiebreak.heard(now, [200; 32], start(5), Source::Announced);
    while let Some(Action::Dial(other)) = tiebreak.poll(now, true)
        && other != [200; 32]
    {
        assert_eq!(tiebreak.peers[&other].failures, 0, "peers that failed come after it");
    }
    assert!(tiebreak.is_dialing(&[200; 32]));
}

#[test]
fn dials_wait_for_a_free_slot() {
    let mut tiebreak = machine(1, 1, 0);
    let now = Instant::now();
    tiebreak.heard(now, [2; 32], start(5), Source::Announced);
    assert_eq!(tiebreak.poll(now, false), None);
    assert_eq!(tiebreak.poll_timeout(false), None);
    assert_eq!(tiebreak.poll_timeout(true), Some((now, "dial")));
    assert_eq!(tiebreak.poll(now, true), Some(Action::Dial([2; 32])));
}

#[test]
fn once_an_unreachable_peer_is_linked_the_other_ones_are_tried_soon() {
    let mut tiebreak = machine(1, 1, 0);
    let mut now = Instant::now();
    let others = [[2; 32], [3; 32], [4; 32]];
    for other in others {
        tiebreak.heard(now, other, start(5), Source::Announced);
    }
    // No peer answers for some minutes.
    while tiebreak.peers.values().any(|known| known.failures < 10) {
        while let Some(Action::Dial(other)) = tiebreak.poll(now, true) {
            tiebreak.dial_failed(now, other);
        }
        now = tiebreak.poll_timeout(true).unwrap().0;
        for &other in &others {
            tiebreak.heard(now, other, start(5), Source::Announced);
        }
    }
    let before = tiebreak.poll_timeout(true);
    tiebreak.linked(now - PROMPTLY, [5; 32], start(5));
    assert_eq!(tiebreak.poll_timeout(true), before, "a new peer says nothing about them");
    tiebreak.linked(now, [2; 32], start(5));
    for other in &others[1..] {
        let Phase::Ours { at } = tiebreak.peers[other].phase else { panic!("{:?}", tiebreak.peers[other]) };
        assert!(at <= now + PROMPTLY);
    }
    // They are still away, so the pauses are as long as before.
    now += PROMPTLY;
    let mut tried = 0;
    while let Some(Action::Dial(other)) = tiebreak.poll(now, true) {
        tiebreak.dial_failed(now, other);
        tried += 1;
    }
    assert_eq!(tried, 2);
    assert!(tiebreak.poll_timeout(true).unwrap().0 >= now + BACKOFF.1 / 2);
}

#[test]
fn a_peer_without_a_link_is_missed_until_a_dial_finds_it_unreachable() {
    let now = Instant::now();
    let mut machine = machine(1, 1, 1);
    let missed = |machine: &TieBreak, now| machine.unlinked(now).map(|peer| (peer.waits, peer.unreachable)).next();
    let later = now + Duration::from_secs(6);
    machine.heard(now, [2; 32], start(2), Source::Announced);
    assert_eq!(missed(&machine, later), Some((Duration::from_secs(6), false)));
    assert_eq!(machine.poll(now, true), Some(Action::Dial([2; 32])));
    machine.dial_failed(later, [2; 32]);
    assert_eq!(missed(&machine, later), Some((Duration::from_secs(6), true)));
    machine.linked(later, [2; 32], start(2));
    assert_eq!(missed(&machine, later), None);
    machine.lost(later, [2; 32], Lost::Broken);
    assert_eq!(missed(&machine, later), Some((Duration::ZERO, false)));
    machine.refused(later, [2; 32]);
    assert_eq!(missed(&machine, later), Some((Duration::ZERO, true)));
}
