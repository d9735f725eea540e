//! A causal past: for each site, the number of its sends that lie in it.
//!
//! A run has one past in memory for each message on its way, and each past has one number per site. Most pasts are nearly the
//! same, so they share the pieces in which they do not differ.

use std::rc::Rc;

use super::history::Number;

/// Sites per piece. Copying a piece copies two cache lines.
const PIECE: usize = 32;

type Piece = Rc<[Number; PIECE]>;

/// A vector indexed by site, all zero at first. A clone shares its pieces.
#[derive(Clone)]
pub(super) struct Past(Box<[Piece]>);

impl Past {
    /// The empty past of a run with this many sites.
    pub(super) fn new(sites: usize) -> Self {
        let none = Rc::new([0; PIECE]);
        Self(vec![none; sites.div_ceil(PIECE)].into())
    }

    /// How many sends of `site` lie in this past.
    pub(super) fn of(&self, site: Number) -> Number {
        self.0[site as usize / PIECE][site as usize % PIECE]
    }

    pub(super) fn set(&mut self, site: Number, sends: Number) {
        Rc::make_mut(&mut self.0[site as usize / PIECE])[site as usize % PIECE] = sends;
    }

    /// Adds everything that lies in `other`.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            if Rc::ptr_eq(mine, theirs) {
                continue;
            }
            let (mut ahead, mut behind) = (false, false);
            for (mine, theirs) in mine.iter().zip(theirs.iter()) {
                ahead |= mine > theirs;
                behind |= mine < theirs;
            }
            if !ahead {
                *mine = theirs.clone();
            } else if behind {
                for (mine, theirs) in Rc::make_mut(mine).iter_mut().zip(theirs.iter()) {
                    *mine = (*mine).max(*theirs);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_takes_the_greater_of_each_number_and_changes_no_clone() {
        let mut a = Past::new(70);
        let mut b = a.clone();
        a.set(0, 3);
        a.set(69, 1);
        b.set(0, 2);
        b.set(33, 5);
        let before = a.clone();
        a.join(&b);
        assert_eq!([0, 33, 69, 1].map(|site| a.of(site)), [3, 5, 1, 0]);
        assert_eq!([0, 33, 69].map(|site| before.of(site)), [3, 0, 1]);
        b.join(&a);
        assert_eq!([0, 33, 69].map(|site| b.of(site)), [3, 5, 1]);
    }
}
