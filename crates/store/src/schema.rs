//! The tables, their versions, and the steps from each version to the next.

use rusqlite::Connection;

use crate::fault::Fault;

/// Marks the file as a causerie store, in its header: "csry".
pub(crate) const APPLICATION: i32 = 0x6373_7279;

/// The steps from each version to the next. The first makes version 1 of an empty database. Steps are added and never
/// changed: SQLite keeps the text of each statement, with the comments inside, and [`check`] compares it.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
];

/// The version that this crate reads and writes.
pub(crate) const VERSION: usize = MIGRATIONS.len();

/// The version of a database. 0 if it is empty.
pub(crate) fn version(db: &Connection) -> Result<i64, Fault> {
    Ok(db.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Brings a database of version `from` up to the present one.
pub(crate) fn migrate(db: &Connection, from: usize) -> Result<(), Fault> {
    migrate_by(MIGRATIONS, db, from)
}

/// Runs all the steps or none of them.
fn migrate_by(migrations: &[&str], db: &Connection, from: usize) -> Result<(), Fault> {
    let transaction = db.unchecked_transaction()?;
    for step in migrations.iter().skip(from) {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", i64::try_from(migrations.len()).unwrap_or(i64::MAX))?;
    Ok(transaction.commit()?)
}

/// Checks that a database has everything of the present version. A person may add more to it.
pub(crate) fn check(db: &Connection) -> Result<(), Fault> {
    let fresh = Connection::open_in_memory()?;
    migrate(&fresh, 0)?;
    let there = parts(db)?;
    for part in parts(&fresh)? {
        if !there.contains(&part) {
            let (kind, name, _) = part;
            return Err(Fault::Damaged(format!("the {kind} {name} is missing or is not as it was made")));
        }
    }
    Ok(())
}

type Part = (String, String, Option<String>);

fn parts(db: &Connection) -> Result<Vec<Part>, Fault> {
    let mut select = db.prepare("SELECT type, name, sql FROM sqlite_schema")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_made_whole_or_not_at_all() {
        let db = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE one (value INTEGER); INSERT INTO one VALUES (7);";
        migrate_by(&[first], &db, 0).unwrap();
        assert_eq!(version(&db).unwrap(), 1);
        let second = "ALTER TABLE one RENAME COLUMN value TO number;";
        assert!(migrate_by(&[first, second, "CREATE TABLE one (again INTEGER);"], &db, 1).is_err());
        assert_eq!(version(&db).unwrap(), 1);
        assert_eq!(db.query_row("SELECT value FROM one", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        migrate_by(&[first, second, "CREATE TABLE two (value INTEGER);"], &db, 1).unwrap();
        assert_eq!(version(&db).unwrap(), 3);
        assert_eq!(db.query_row("SELECT number FROM one", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    }

    #[test]
    fn migrating_from_version_1_adds_empty_lists_to_the_persisted_state() {
        let db = Connection::open_in_memory().unwrap();
        migrate_by(&MIGRATIONS[..1], &db, 0).unwrap();
        let kept = "INSERT INTO state VALUES ('mind', x'00fe00'), ('causal', x'07'), ('settled', 3);
                    INSERT INTO conversations (kind, name, vectors) VALUES ('all', '', x'0100ff'), ('group', 'new', NULL);";
        db.execute_batch(kept).unwrap();
        migrate(&db, 1).unwrap();
        check(&db).unwrap();
        let state = |name: &str| -> rusqlite::types::Value {
            db.query_row("SELECT value FROM state WHERE name = ?1", [name], |row| row.get(0)).unwrap()
        };
        use rusqlite::types::Value::{Blob, Integer};
        assert_eq!(state("mind"), Blob(vec![0, 0xfe, 0, 0]));
        assert_eq!((state("causal"), state("settled")), (Blob(vec![7]), Integer(3)));
        let vectors = |name: &str| -> Option<Vec<u8>> {
            db.query_row("SELECT vectors FROM conversations WHERE name = ?1", [name], |row| row.get(0)).unwrap()
        };
        assert_eq!((vectors(""), vectors("new")), (Some(vec![1, 0, 0xff, 0, 0, 0]), None));
    }

    #[test]
    fn migrating_from_version_2_keeps_only_the_runs_that_are_indexed() {
        let left = |indexed: &str| -> Vec<i64> {
            let db = Connection::open_in_memory().unwrap();
            migrate_by(&MIGRATIONS[..2], &db, 0).unwrap();
            db.execute_batch(indexed).unwrap();
            db.execute_batch("INSERT INTO runs VALUES (1, 1, 1, 0, 3), (1, 4, 2, 0, 1), (0, 1, 3, 0, 1)").unwrap();
            migrate(&db, 2).unwrap();
            check(&db).unwrap();
            let mut select = db.prepare("SELECT batch FROM runs ORDER BY batch").unwrap();
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(left("INSERT INTO state VALUES ('indexed', 191)"), [1, 2]);
        assert_eq!(left(""), [0i64; 0]);
    }

    #[test]
    fn migrating_from_version_3_leaves_nothing_to_fetch() {
        let db = Connection::open_in_memory().unwrap();
        migrate_by(&MIGRATIONS[..3], &db, 0).unwrap();
        let kept =
            "INSERT INTO conversations (kind, name, vectors) VALUES ('all', '', x'000000'), ('group', 'new', NULL);";
        db.execute_batch(kept).unwrap();
        migrate(&db, 3).unwrap();
        check(&db).unwrap();
        let mut select = db.prepare("SELECT vectors FROM conversations ORDER BY id").unwrap();
        let vectors: Vec<Option<Vec<u8>>> =
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(vectors, [Some(vec![0, 0, 0, 0, 0]), None]);
    }

    #[test]
    fn migrating_from_version_4_drops_parcels_with_impossible_clocks() {
        let db = Connection::open_in_memory().unwrap();
        migrate_by(&MIGRATIONS[..4], &db, 0).unwrap();
        let parcels = ["a-1:1", "a-1:9007199254740992", "a-1:9007199254740993", "a-1:18446744073709551615"];
        for message in parcels {
            db.execute("INSERT INTO parcels VALUES (?1, 'b-1', x'00', x'00')", [message]).unwrap();
        }
        migrate(&db, 4).unwrap();
        let mut select = db.prepare("SELECT message FROM parcels ORDER BY message").unwrap();
        let left: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(left, parcels[..2]);
    }

    #[test]
    fn migrating_from_version_5_marks_all_conversations_as_read() {
        let db = Connection::open_in_memory().unwrap();
        migrate_by(&MIGRATIONS[..5], &db, 0).unwrap();
        let kept =
            "INSERT INTO conversations (kind, name, vectors) VALUES ('all', '', x'0007'), ('group', 'new', NULL);";
        db.execute_batch(kept).unwrap();
        migrate(&db, 5).unwrap();
        check(&db).unwrap();
        let mut select = db.prepare("SELECT vectors FROM conversations ORDER BY id").unwrap();
        let vectors: Vec<Option<Vec<u8>>> =
            select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(vectors, [Some(vec![0, 7, 0]), None]);
    }

    #[test]
    fn missing_parts_are_named() {
        let db = Connection::open_in_memory().unwrap();
        migrate(&db, 0).unwrap();
        check(&db).unwrap();
        db.execute_batch("CREATE INDEX mine ON messages (clock)").unwrap();
        check(&db).unwrap();
        db.execute_batch("DROP TABLE runs").unwrap();
        let Fault::Damaged(what) = check(&db).unwrap_err() else { panic!() };
        assert!(what.contains("table runs"), "{what}");
    }
}
