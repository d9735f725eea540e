//! A peer among liars keeps what it receives in this store, and reads it back. The fuzz target `peer` does the same for
//! hours.

use proptest::prelude::*;
use store::SqliteStore;

fn run(data: &[u8]) {
    let store = SqliteStore::in_memory().expect("there is memory");
    let mut copies = 0;
    chat::hostile::run(data, store, |store| {
        copies += 1;
        // In half of the runs its indexes are behind what was written.
        if copies % 2 == 0 {
            store.tidy_all().expect("what was kept can be indexed");
        }
        store.copy().expect("what was kept can be read back")
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_liars_send_is_kept_and_read_back(data in prop::collection::vec(any::<u8>(), 0..1200)) {
        run(&data);
    }
}
