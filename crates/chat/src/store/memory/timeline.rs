//! A sorted ring: a map whose keys come nearly in order and go oldest first.

use std::collections::VecDeque;

/// Keys and values in the order of the keys. Appending and taking the first take constant time; a key that comes out of order
/// costs a search and moves what lies between it and the nearer end.
#[derive(Debug)]
pub(super) struct Timeline<K, V>(VecDeque<(K, V)>);

impl<K, V> Default for Timeline<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord, V> Timeline<K, V> {
    /// Adds a value, unless there is one of this key. Answers where it stands now.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<usize> {
        if self.0.back().is_none_or(|(last, _)| *last < key) {
            self.0.push_back((key, value));
            return Some(self.0.len() - 1);
        }
        let at = self.position(&key).err()?;
        self.0.insert(at, (key, value));
        Some(at)
    }

    /// Takes the value that stands there.
    pub(super) fn remove(&mut self, at: usize) -> Option<V> {
        self.0.remove(at).map(|(_, value)| value)
    }

    /// The value that stands there.
    pub(super) fn get(&self, at: usize) -> Option<&V> {
        self.0.get(at).map(|(_, value)| value)
    }

    /// Where the value of this key stands, or else would.
    pub(super) fn position(&self, key: &K) -> Result<usize, usize> {
        // Nearly always it is the first that is looked for, to go.
        if self.0.front().is_some_and(|(first, _)| first == key) {
            return Ok(0);
        }
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.position(key).is_ok()
    }

    /// All values, in order.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// What lies behind `key`, in order.
    pub(super) fn after(&self, key: &K) -> impl Iterator<Item = (&K, &V)> {
        let start = self.0.partition_point(|(other, _)| other <= key);
        self.0.range(start..).map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(operations in prop::collection::vec((0..5u8, 0..20u64), 0..60)) {
            let (mut real, mut model) = (Timeline::default(), BTreeMap::new());
            for (number, (operation, key)) in operations.into_iter().enumerate() {
                if operation < 3 {
                    let new = !model.contains_key(&key);
                    model.entry(key).or_insert(number);
                    let at = model.range(..key).count();
                    prop_assert_eq!(real.insert(key, number), new.then_some(at));
                    prop_assert_eq!(real.position(&key), Ok(at));
                    prop_assert_eq!(real.get(at), model.get(&key));
                } else {
                    let at = real.position(&key);
                    prop_assert_eq!(at.unwrap_or_else(|at| at), model.range(..key).count());
                    prop_assert_eq!(at.ok().and_then(|at| real.remove(at)), model.remove(&key));
                }
                prop_assert_eq!(real.contains(&key), model.contains_key(&key));
                prop_assert!(real.after(&key).eq(model.range(key + 1..)));
            }
        }
    }
}
