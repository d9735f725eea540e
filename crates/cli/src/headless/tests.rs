use node::chat::{Command, Target};
use node::line::RequestId;

use super::*;

fn read(line: &str) -> (Option<RequestId>, Result<Input, String>) {
    Form::Json.read(line)
}

#[test]
fn json_lines_are_commands_or_the_text_of_one() {
    let send = |to| Input::Command(Command::Send { to, text: "hi".into(), delay_ms: 0 });
    let to_bob = || send(Target::Name("bob".into()));
    assert_eq!(read(r#"{"text":"@bob hi"}"#), (None, Ok(to_bob())));
    assert_eq!(read(r#"{"id":1,"text":"@bob hi"}"#), (Some(RequestId::from(1)), Ok(to_bob())));
    let typed = r#"{"id":"x","command":"send","to":{"name":"bob"},"text":"hi"}"#;
    assert_eq!(read(typed), (Some(RequestId("x".into())), Ok(to_bob())));
    assert_eq!(read(r#"{"id":2,"text":"-h"}"#), (Some(RequestId::from(2)), Ok(Input::Help)));
}

#[test]
fn what_makes_no_sense_is_answered_under_its_id() {
    let (id, wrong) = read(r#"{"id":3,"command":"fly"}"#);
    assert_eq!(id, Some(RequestId::from(3)));
    assert!(wrong.unwrap_err().contains("cannot be read"));
    // A mistyped command never becomes a message.
    assert!(read(r#"{"command":"snd","to":"all","text":"hi"}"#).1.is_err());
    let (id, wrong) = read(r#"{"id":4,"text":"@ hi"}"#);
    assert_eq!(id, Some(RequestId::from(4)));
    assert!(wrong.unwrap_err().contains("@alice"));
    assert!(read("{").1.unwrap_err().contains("not JSON"));
    assert_eq!(read(""), (None, Ok(Input::Nothing)));
    let object = r#"{"text":"hi"}"#;
    let wrapped = ["\u{feff}", " ", "\t", "\u{200b}", "[", "\"", "x"].map(|before| format!("{before}{object}"));
    let bare = ["hello", "@bob hi", "-lu", "\"hello\"", "[]", "null", "7", "}", " ", "  \"text\": \"hi\"", "-quit"];
    for line in wrapped.iter().map(String::as_str).chain(bare) {
        assert!(read(line).1.unwrap_err().contains("one JSON object"), "{line:?}");
    }
    assert!(read(r#"{"id":[]}"#).1.is_err());
    for id in [r#"null"#, "-1.5", "true", "[1,{\"a\":null}]", "{\"b\":1}", "\"\"", "18446744073709551615"] {
        let (read_id, input) = read(&format!("{{\"id\":{id},\"text\":\"-h\"}}"));
        assert_eq!(input, Ok(Input::Help), "{id}");
        assert_eq!(serde_json::to_string(&read_id).unwrap(), id);
    }
}
