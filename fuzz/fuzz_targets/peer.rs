//! Any sequence of frames, commands, links, timers and restarts, for a peer with the real store. What is asserted stands in
//! `crates/chat/src/peer/hostile.rs`; a test of `store` runs it too.
#![no_main]

use store::SqliteStore;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let store = SqliteStore::in_memory().expect("there is memory");
    let mut copies = 0;
    chat::hostile::run(data, store, |store| {
        copies += 1;
        // Its indexes are behind what was written, or not.
        if copies % 2 == 0 {
            store.tidy_all().expect("what was kept can be indexed");
        }
        store.copy().expect("what was kept can be read back")
    });
});
