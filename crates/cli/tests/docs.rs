//! What the page on JSON shows is what the program reads and writes.

use node::line::{Hello, Line, RequestLine};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/json.md");

fn examples(page: &str) -> Vec<String> {
    let blocks = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn every_example_of_json_is_a_line_of_the_session() {
    let examples = examples(PAGE);
    assert!(examples.len() > 20);
    for line in examples {
        let value: Value = serde_json::from_str(&line).unwrap();
        if value.get("hello").is_some() {
            let hello: Hello = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_value(hello).unwrap(), value);
        } else if value.get("command").is_some() {
            serde_json::from_str::<RequestLine>(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        } else if value.get("text").is_none() {
            let read: Line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(serde_json::to_value(read).unwrap(), value, "{line}");
        }
    }
}

/// The names stand in the tables; serde knows them all, and says so when it is given one that is none.
#[test]
fn every_event_answer_and_command_is_documented() {
    let known = |error: serde_json::Error| -> Vec<String> {
        let text = error.to_string();
        let (_, names) = text.split_once("expected one of ").unwrap_or_else(|| panic!("{text}"));
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let events = known(serde_json::from_str::<node::chat::Event>(r#"{"event":"?"}"#).unwrap_err());
    let answers = known(serde_json::from_str::<node::chat::Answer>(r#"{"answer":"?"}"#).unwrap_err());
    let commands = known(serde_json::from_str::<node::chat::Command>(r#"{"command":"?"}"#).unwrap_err());
    assert!(events.len() > 10 && answers.len() > 8 && commands.len() > 10);
    for name in events.iter().chain(&answers) {
        assert!(PAGE.contains(&format!("| `{name}`")) || PAGE.contains(&format!(", `{name}` |")), "{name}");
    }
    for name in commands {
        assert!(PAGE.contains(&format!("\"command\":\"{name}\"")), "{name}");
    }
}
