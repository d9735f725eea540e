//! The peers that were met before, for which a share of the places is kept.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

use crate::peer::Key;

/// Those that were met first, as many as there are places kept. Cheap to clone: the handle adds to it, the behaviour asks.
///
/// Keys cost nothing, so an attacker that floods a peer with identities has soon been met as well. Those that were met before keep their places.
#[derive(Clone, Debug)]
pub(crate) struct Met(Arc<Mutex<(HashSet<Key>, usize)>>);

impl Met {
    /// Keeps a quarter of the `places`.
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new((HashSet::new(), places / 4))))
    }

    pub(crate) fn add(&self, peer: Key) {
        let (met, most) = &mut *self.0.lock();
        if met.len() < *most {
            met.insert(peer);
        }
    }

    pub(crate) fn contains(&self, peer: &Key) -> bool {
        self.0.lock().0.contains(peer)
    }

    /// How many places are kept.
    pub(crate) fn kept(&self) -> usize {
        self.0.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_were_met_first_keep_their_places() {
        let met = Met::new(8);
        for peer in [1, 1, 2, 3] {
            met.add([peer; 32]);
        }
        assert_eq!([1, 2, 3].map(|peer| met.contains(&[peer; 32])), [true, true, false]);
    }
}
