//! Places for connections: so many in all, and so many for one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::Limits;
use crate::limits::network;

/// The places, and how many of them each address has taken.
pub(crate) struct Places {
    limits: Limits,
    taken: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

/// One of them. It is free again when this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place, if there is one for that address.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let address = network(from);
        let (all, of_each) = &mut *self.taken.lock();
        let own = of_each.get(&address).copied().unwrap_or(0);
        if *all >= self.limits.connections || own >= self.limits.connections_of_address {
            return None;
        }
        *all += 1;
        of_each.insert(address, own + 1);
        Some(Place { places: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (all, of_each) = &mut *self.places.taken.lock();
        *all -= 1;
        match of_each.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => {
                of_each.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_its_share_and_leaves_the_rest_to_others() {
        let places = Places::new(Limits { connections: 3, connections_of_address: 2, ..Limits::default() });
        let [one, two, three] = [1, 2, 3].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut mine = vec![places.take(one).unwrap(), places.take(one).unwrap()];
        assert!(places.take(one).is_none());
        let _other = places.take(two).unwrap();
        assert!(places.take(three).is_none(), "all are taken");
        mine.clear();
        assert!(places.take(three).is_some() && places.take(one).is_some());
        assert_eq!(places.taken.lock().1.len(), 1, "addresses without a place are forgotten");
    }
}
