//! Hybrid logical clock: stamps that sort like time and never against causality.
//!
//! Source: Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks and Consistent Snapshots in Globally
//! Distributed Databases" (2014), figure 5. What differs: a stamp too far ahead of one's own time does not move the clock
//! (the paper's section on bounds leaves that to the user), so one broken clock cannot drag all others along. Behind such a
//! stamp, sorting by stamps no longer respects causality; delivery does all the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A stamp. It only sorts; what is shown is the author's own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hlc {
    /// The greatest time known when it was made, Unix time in microseconds.
    pub micros: i64,
    /// Counts stamps within one microsecond.
    pub logical: u32,
}

impl Hlc {
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
}

/// How a stamp compares to one's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skew {
    /// Near enough, or in the past, as what one fetches late is.
    Fine,
    /// Further ahead than can be believed. The clock did not move.
    Off,
}

/// One process's clock: it makes stamps, each greater than all it made or observed before.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    last: Hlc,
    max_ahead: i64,
}

impl Clock {
    /// A clock that does not believe stamps more than `max_ahead` beyond its own time.
    pub(crate) fn new(max_ahead: Duration) -> Self {
        Self { last: Hlc::default(), max_ahead: i64::try_from(max_ahead.as_micros()).unwrap_or(i64::MAX) }
    }

    /// The greatest stamp that was made or observed.
    pub(crate) fn last(&self) -> Hlc {
        self.last
    }

    /// Makes no stamp any more that is not greater than this one, whatever the time.
    pub(crate) fn go_on_from(&mut self, last: Hlc) {
        self.last = self.last.max(last);
    }

    /// A stamp for an event here and now (`now_micros`: Unix time in microseconds; it may go back).
    pub(crate) fn tick(&mut self, now_micros: i64) -> Hlc {
        let now = Hlc { micros: now_micros, logical: 0 };
        self.last = if now > self.last { now } else { self.last.successor() };
        self.last
    }

    /// How another's stamp compares to the time here and now.
    pub(crate) fn skew(&self, now_micros: i64, stamp: Hlc) -> Skew {
        if stamp.micros > now_micros.saturating_add(self.max_ahead) { Skew::Off } else { Skew::Fine }
    }

    /// Takes note of another's stamp: all stamps from now on are greater, unless it is [`Skew::Off`].
    pub(crate) fn observe(&mut self, now_micros: i64, stamp: Hlc) -> Skew {
        let skew = self.skew(now_micros, stamp);
        if skew == Skew::Fine {
            self.last = self.last.max(stamp);
        }
        skew
    }
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
        let question = fast.tick(5_000_000);
        assert_eq!(slow.observe(1_000, question), Skew::Fine);
        assert!(slow.tick(1_001) > question);
    }

    #[test]
    fn a_stamp_from_the_far_future_moves_nothing() {
        let mut clock = clock();
        assert_eq!(clock.observe(10, Hlc { micros: 10 + DAY, logical: u32::MAX }), Skew::Fine);
        let mut clock = self::clock();
        assert_eq!(clock.observe(10, Hlc { micros: 11 + DAY, logical: 0 }), Skew::Off);
        assert_eq!(clock.observe(10, Hlc { micros: i64::MAX, logical: u32::MAX }), Skew::Off);
        assert_eq!(clock.tick(10), Hlc { micros: 10, logical: 0 });
    }

    #[test]
    fn a_full_counter_carries_over() {
        assert_eq!(Hlc { micros: 4, logical: u32::MAX }.successor(), Hlc { micros: 5, logical: 0 });
        let last = Hlc { micros: i64::MAX, logical: u32::MAX };
        assert_eq!(last.successor(), last);
    }

    proptest! {
        #[test]
        fn each_stamp_is_greater_than_all_before(events in prop::collection::vec((0..1_000i64, any::<bool>(), 0..2_000i64, 0..5u32), 1..100)) {
            let mut clock = Clock::new(Duration::from_micros(500));
            let mut greatest = Hlc::default();
            for (now, observes, micros, logical) in events {
                if observes {
                    let stamp = Hlc { micros, logical };
                    if clock.observe(now, stamp) == Skew::Fine {
                        greatest = greatest.max(stamp);
                    } else {
                        prop_assert!(micros > now + 500);
                    }
                } else {
                    let stamp = clock.tick(now);
                    prop_assert!(stamp > greatest);
                    prop_assert!(stamp.micros >= now);
                    greatest = stamp;
                }
            }
        }
    }
}
