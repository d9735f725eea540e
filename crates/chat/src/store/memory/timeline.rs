//! A sorted ring: a map whose keys come nearly in order and go oldest first.

use std::collections::VecDeque;

/// Keys and values in the order of the keys. Appending and taking the first are constant; a key that comes out of order
/// costs a search and moves what lies between it and the nearer end.
#[derive(Debug)]
pub(super) struct Timeline<K, V>(VecDeque<(K, V)>);

impl<K, V> Default for Timeline<K, V> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<K: Ord, V> Timeline<K, V> {
    /// Adds a value, unless there is one of this key. Answers whether it did.
    pub(super) fn insert(&mut self, key: K, value: V) -> bool {
        if self.0.back().is_none_or(|(last, _)| *last < key) {
            self.0.push_back((key, value));
            return true;
        }
        match self.find(&key) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, (key, value));
                true
            }
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        // Nearly always the first goes.
        if self.0.front().is_some_and(|(first, _)| first == key) {
            return self.pop_first().map(|(_, value)| value);
        }
        let at = self.find(key).ok()?;
        self.0.remove(at).map(|(_, value)| value)
    }

    pub(super) fn pop_first(&mut self) -> Option<(K, V)> {
        self.0.pop_front()
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What lies behind `key`, in order.
    pub(super) fn after(&self, key: &K) -> impl Iterator<Item = (&K, &V)> {
        let start = self.0.partition_point(|(other, _)| other <= key);
        self.0.range(start..).map(|(key, value)| (key, value))
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
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
                match operation {
                    0..=2 => {
                        let new = !model.contains_key(&key);
                        model.entry(key).or_insert(number);
                        prop_assert_eq!(real.insert(key, number), new);
                    }
                    3 => prop_assert_eq!(real.remove(&key), model.remove(&key)),
                    _ => prop_assert_eq!(real.pop_first(), model.pop_first()),
                }
                prop_assert_eq!(real.len(), model.len());
                prop_assert_eq!(real.contains(&key), model.contains_key(&key));
                prop_assert!(real.after(&key).eq(model.range(key + 1..)));
            }
        }
    }
}
