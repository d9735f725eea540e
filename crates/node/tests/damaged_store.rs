//! A peer that cannot read what it kept says where that is and what to do, and leaves it unchanged.

use node::{Config, DataFolder, Home};

fn config(folder: &std::path::Path) -> Config {
    let mut config = Config::new("alice");
    config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
    config.mdns = false;
    let folder = DataFolder::open(folder).expect("the folder can be used");
    config.home = Some(Home { folder, seed: [7; 32].into() });
    config
}

#[tokio::test]
async fn a_damaged_persisted_state_is_reported_and_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = node::start(config(folder.path())).await.expect("the peer starts");
    session.requests.stop();
    while session.events.next().await.is_some() {}
    let file = folder.path().join("causerie.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    let changed = db.execute("UPDATE state SET value = x'ffffff' WHERE name = 'mind'", []).unwrap();
    assert_eq!(changed, 1);
    drop(db);
    let refused = node::start(config(folder.path())).await.expect_err("it cannot go on").to_string();
    for said in [&*file.to_string_lossy(), "is damaged", "restore a copy of it, or move it away"] {
        assert!(refused.contains(said), "{refused}");
    }
    let db = rusqlite::Connection::open(&file).unwrap();
    let mind: Vec<u8> = db.query_row("SELECT value FROM state WHERE name = 'mind'", [], |row| row.get(0)).unwrap();
    assert_eq!(mind, [0xff; 3], "nothing was changed");
}
