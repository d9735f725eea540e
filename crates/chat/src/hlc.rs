//! Hybrid logical clock: stamps that sort like time and never against causality.
//!
//! Source: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks and Consistent Snapshots in Globally
//! Distributed Databases" (2014), figure 5. Each stamp is greater than that of everything that its author had been shown, so the
//! order of stamps, and then of ids, extends happened-before. It is a function of the signed messages alone: no reader's wall clock
//! has a part in it. Where clocks are right it follows wall time.
//!
//! # What a wrong clock may cost the others
//!
//! The paper's section on bounds leaves out of account a stamp that is too far ahead. Here it counts like any other, or an answer to
//! it would sort above it. What bounds the cost instead:
//!
//! - A stamp lies in a bounded range ([`Hlc::is_sound`]). A text outside it is malformed for every reader alike. A peer whose
//!   own clock is outside stamps at the end of the range.
//! - Behind a far-fetched stamp the logical part counts on, as a Lamport clock does. There is room for 2^32 messages. Until time
//!   catches up, those who have seen it are sorted by that count and not by wall time. Causality holds, and nothing but the order of
//!   *concurrent* messages depends on it.
//! - A liar can use up the count on purpose, by a stamp at its very end. Any order that is read from signed stamps alone has an end
//!   that a liar can claim. So there is a second range behind the first: stamps go on there by wall time, and one that is
//!   more than `Config::max_clock_ahead` ahead of the reader's clock is not followed. A liar who does this takes back the promise only
//!   for people whose clocks are further apart than that.
//! - No mark and no decision of the protocol depends on a stamp ([`Hlc::time`] and the mark for late messages aside, which takes no
//!   stamp for later than the reader's own time).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Wall time as stamps have it lies below this, Unix time in microseconds: the year 2255. It stands above every date that a broken
/// clock is known to start from (1970, 2036, 2038, 2106).
pub(crate) const TIMES: i64 = 1 << 53;

/// A stamp. It only sorts; what is shown is the author's own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hlc {
    /// The greatest time known when it was made, Unix time in microseconds; 2^53 more if the count had been used up.
    pub micros: i64,
    /// Counts stamps within one microsecond.
    pub logical: u32,
}

impl Hlc {
    /// The first stamp of the second range.
    pub(crate) const SPENT: Self = Self { micros: TIMES, logical: 0 };
    /// The greatest stamp.
    pub(crate) const LAST: Self = Self { micros: 2 * TIMES - 1, logical: u32::MAX };

    /// Whether a clock can have made it.
    pub(crate) fn is_sound(self) -> bool {
        (0..2 * TIMES).contains(&self.micros)
    }

    /// The least stamp after this one; the greatest stamp has none and stays.
    #[must_use]
    pub(crate) fn successor(self) -> Self {
        match self.logical.checked_add(1) {
            Some(logical) => Self { logical, ..self },
            None => match self.micros.checked_add(1) {
                Some(micros) => Self { micros, logical: 0 },
                None => self,
            },
        }
    }

    /// The greatest time that was known when it was made, Unix time in microseconds.
    pub(crate) fn time(self) -> i64 {
        self.micros.rem_euclid(TIMES)
    }
}

/// One process's clock: it makes stamps, each greater than all it made or observed before.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    last: Hlc,
    max_ahead: i64,
}

impl Clock {
    /// A clock that, once the count is used up, does not follow stamps more than `max_ahead` beyond its own time.
    pub(crate) fn new(max_ahead: Duration) -> Self {
        Self { last: Hlc::default(), max_ahead: micros(max_ahead) }
    }

    /// The greatest stamp that was made or observed.
    pub(crate) fn last(&self) -> Hlc {
        self.last
    }

    /// Makes no stamp any more that is not greater than this one, which is one of its own, whatever the time.
    pub(crate) fn go_on_from(&mut self, last: Hlc) {
        if last.is_sound() {
            self.last = self.last.max(last);
        }
    }

    /// A stamp for an event here and now (`now_micros`: Unix time in microseconds; it may go back).
    pub(crate) fn tick(&mut self, now_micros: i64) -> Hlc {
        let next = self.last.successor().min(Hlc::LAST);
        let base = if next < Hlc::SPENT { 0 } else { TIMES };
        self.last = next.max(Hlc { micros: base + within(now_micros), logical: 0 });
        self.last
    }

    /// Takes note of a stamp: all stamps from now on are greater. One that no clock made is disregarded.
    pub(crate) fn observe(&mut self, now_micros: i64, stamp: Hlc) {
        let is_followed = stamp < Hlc::SPENT || stamp.time() <= within(now_micros).saturating_add(self.max_ahead);
        if stamp.is_sound() {
            self.last = self.last.max(if is_followed { stamp } else { Hlc::SPENT });
        }
    }
}

/// The time as stamps have it.
fn within(now_micros: i64) -> i64 {
    now_micros.clamp(0, TIMES - 1)
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn clock() -> Clock {
        Clock::new(Duration::from_secs(86_400))
    }

    #[test]
    fn it_follows_time_and_counts_within_a_microsecond() {
        let mut clock = clock();
        assert_eq!(clock.tick(10), Hlc { micros: 10, logical: 0 });
        assert_eq!(clock.tick(10), Hlc { micros: 10, logical: 1 });
        assert_eq!(clock.tick(7), Hlc { micros: 10, logical: 2 });
        assert_eq!(clock.tick(11), Hlc { micros: 11, logical: 0 });
    }

    #[test]
    fn an_answer_sorts_behind_its_question_whatever_the_clocks_say() {
        let (mut fast, mut slow) = (clock(), clock());
        for far in [5_000_000, 25 * 3_600_000_000, 400 * DAY, TIMES - 1, TIMES, i64::MAX] {
            let question = fast.tick(far);
            slow.observe(1_000, question);
            let answer = slow.tick(1_001);
            assert!(answer > question && answer.is_sound(), "{answer:?}");
            fast.observe(far, answer);
        }
    }

    #[test]
    fn a_clock_outside_the_range_stamps_at_its_end() {
        assert_eq!(clock().tick(-7), Hlc { micros: 0, logical: 1 }, "all are greater than no stamp at all");
        assert_eq!(clock().tick(i64::MIN), Hlc { micros: 0, logical: 1 });
        assert_eq!(clock().tick(i64::MAX), Hlc { micros: TIMES - 1, logical: 0 });
    }

    #[test]
    fn what_no_clock_made_moves_nothing() {
        let mut clock = clock();
        for micros in [i64::MIN, -1, 2 * TIMES, i64::MAX] {
            let stamp = Hlc { micros, logical: u32::MAX };
            assert!(!stamp.is_sound());
            clock.observe(10, stamp);
        }
        assert_eq!(clock.tick(10), Hlc { micros: 10, logical: 0 });
    }

    #[test]
    fn once_the_count_is_used_up_stamps_go_on_by_wall_time() {
        let mut clock = clock();
        let end = Hlc { micros: TIMES - 1, logical: u32::MAX };
        assert!(end.is_sound());
        clock.observe(10, end);
        assert_eq!(clock.tick(10), Hlc { micros: TIMES + 10, logical: 0 });
        assert_eq!(clock.tick(10), Hlc { micros: TIMES + 10, logical: 1 });
        let near = Hlc { micros: TIMES + 10 + DAY, logical: 3 };
        clock.observe(10, Hlc { micros: near.micros + 1, logical: 0 });
        assert_eq!(clock.tick(11), Hlc { micros: TIMES + 11, logical: 0 }, "too far ahead to be followed");
        clock.observe(10, near);
        assert_eq!(clock.tick(12), near.successor());
        // A peer that has only seen what is not followed goes on there, too.
        let mut other = self::clock();
        other.observe(10, Hlc::LAST);
        assert_eq!(other.tick(10), Hlc { micros: TIMES + 10, logical: 0 });
        assert_eq!(other.tick(i64::MAX), Hlc { micros: 2 * TIMES - 1, logical: 0 });
    }

    #[test]
    fn a_full_counter_carries_over() {
        assert_eq!(Hlc { micros: 4, logical: u32::MAX }.successor(), Hlc { micros: 5, logical: 0 });
        let last = Hlc { micros: i64::MAX, logical: u32::MAX };
        assert_eq!(last.successor(), last);
    }

    proptest! {
        #[test]
        fn each_stamp_is_greater_than_all_before(
            events in prop::collection::vec((-10..TIMES + 10, any::<bool>(), 0..TIMES, 0..5u32), 1..100)
        ) {
            let mut clock = Clock::new(Duration::from_micros(500));
            let mut greatest = Hlc::default();
            for (now, observes, micros, logical) in events {
                if observes {
                    let stamp = Hlc { micros, logical };
                    clock.observe(now, stamp);
                    greatest = greatest.max(stamp);
                } else {
                    let stamp = clock.tick(now);
                    prop_assert!(stamp > greatest && stamp.is_sound());
                    prop_assert!(stamp.micros >= now.clamp(0, TIMES - 1));
                    greatest = stamp;
                }
            }
        }
    }
}
