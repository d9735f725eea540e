//! The peers that were met before. A share of the places is reserved for them.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

use crate::peer::Key;

/// The first peers that were met, as many as there are reserved places. Cheap to clone: the handle adds to it, the
/// behaviour asks it.
///
/// Keys cost nothing. So when an attacker floods a peer with identities, these have soon been met as well. The first
/// ones keep their places.
#[derive(Clone, Debug)]
pub(crate) struct Met(Arc<Mutex<(HashSet<Key>, usize)>>);

impl Met {
    /// Reserves a quarter of the `places`.
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

    /// How many places are reserved.
    pub(crate) fn kept(&self) -> usize {
        self.0.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_that_were_met_first_keep_their_places() {
        let met = Met::new(8);
        for peer in [1, 1, 2, 3] {
            met.add([peer; 32]);
        }
        assert_eq!([1, 2, 3].map(|peer| met.contains(&[peer; 32])), [true, true, false]);
    }
}
