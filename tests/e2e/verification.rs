//! `causerie check`, as a script sees it.

use std::fs;

use crate::peer::check;

const QUESTION: &str = r#"{"ts":1,"peer":"A","name":"alice","event":"send","id":"A:1","dests":["B","C"]}"#;
const ANSWER: &str = concat!(
    r#"{"ts":2,"peer":"B","name":"bob","event":"deliver","id":"A:1"}"#,
    "\n",
    r#"{"ts":3,"peer":"B","name":"bob","event":"send","id":"B:1","dests":["C"]}"#
);

#[test]
fn a_violation_is_shown_as_a_chain_of_messages_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["alice", "bob", "carol"].map(|name| folder.path().join(name));
    let delivery = |id: &str| format!(r#"{{"ts":4,"peer":"C","name":"carol","event":"deliver","id":"{id}"}}"#);
    let write = |carol: [&str; 2]| {
        let carol = carol.map(delivery).join("\n");
        for (file, lines) in files.iter().zip([QUESTION, ANSWER, &carol]) {
            fs::write(file, format!("{lines}\n")).unwrap();
        }
    };
    write(["A:1", "B:1"]);
    let (sound, report) = check(&files, &["--complete"]);
    assert!(sound && report.lines().count() == 1, "{report}");
    write(["B:1", "A:1"]);
    let (sound, report) = check(&files, &[]);
    assert!(!sound, "{report}");
    let chain = ["alice sent alice#1", "bob delivered alice#1", "bob sent bob#1", "carol delivered bob#1"];
    let told: Vec<&str> = report.lines().skip(2).collect();
    let places: Vec<_> = chain.iter().map(|link| told.iter().position(|line| line.contains(link))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{report}");
}

#[test]
fn what_cannot_be_read_fails_and_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    fs::write(&file, format!("{QUESTION}\nnonsense\n{QUESTION}\n")).unwrap();
    let (sound, report) = check(&[&file], &[]);
    assert!(!sound && report.contains("trace:2: "), "{report}");
    let (sound, report) = check(&[folder.path().join("nowhere")], &[]);
    assert!(!sound && report.contains("nowhere"), "{report}");
}
