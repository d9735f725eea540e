use node::chat::{Command, Target};

use super::misread::Flaw;
use super::spec::{SPECS, find, nearest};
use super::{Input, help, parse, send_to};

mod lookalikes;

fn command(line: &str) -> Command {
    match parse(line) {
        Ok(Input::Command(command)) => command,
        other => panic!("{line:?} is {other:?}"),
    }
}

fn send(to: Target, text: &str, delay_ms: u64) -> Command {
    Command::Send { to, text: text.into(), delay_ms }
}

fn name(name: &str) -> Target {
    Target::Name(name.into())
}

fn people(names: &[&str]) -> Target {
    Target::People(names.iter().map(|&name| name.to_owned()).collect())
}

fn flaw(line: &str) -> Flaw {
    parse(line).expect_err(line).flaw
}

fn misread(line: &str) -> String {
    parse(line).expect_err(line).to_string()
}

#[test]
fn every_command_long_and_short_and_with_a_slash() {
    let group = || "cars".to_owned();
    let cases: Vec<(&[&str], Command)> = vec![
        (&["-lu", "-listusers", "-who", "-LU"], Command::ListUsers),
        (&["-who bob·PUWe", "-WHO @bob·PUWe"], Command::Who { person: "bob·PUWe".into() }),
        (&["-lg", "-listgroups", "-list"], Command::ListGroups),
        (&["-mygroups"], Command::MyGroups),
        (&["-finduser bo*b"], Command::FindUser { pattern: "bo*b".into() }),
        (&["-findgroup car s"], Command::FindGroup { pattern: "car s".into() }),
        (&["-creategroup cars", "-creategroup @cars"], Command::CreateGroup { group: group() }),
        (&["-joingroup cars", "-join cars", "-join   cars  "], Command::JoinGroup { group: group() }),
        (&["-leavegroup cars", "-leave @cars"], Command::LeaveGroup { group: group() }),
        (&["-pending"], Command::Pending),
        (&["-delete-account alice", "-DELETE-ACCOUNT @alice"], Command::DeleteAccount { name: "alice".into() }),
        (&["-delete-account"], Command::DeleteAccount { name: String::new() }),
        (&["-logout", "-LogOut"], Command::LogOut),
        (&["-search red car"], Command::Search { words: "red car".into(), of: None, count: None }),
        (&["-seen"], Command::Seen { nth: None, message: None }),
        (&["-seen 3"], Command::Seen { nth: Some(3), message: None }),
        (&["-show alice#12", "-show @alice#12"], Command::Show { author: "alice".into(), clock: 12 }),
        (&["-show bob·PUWe#12"], Command::Show { author: "bob·PUWe".into(), clock: 12 }),
        (&["-show bob@[fd00::2]#7"], Command::Show { author: "bob@[fd00::2]".into(), clock: 7 }),
        (&["-show 12D3Koo-72ecd0447c4f1836:3"], Command::Show { author: "12D3Koo-72ecd0447c4f1836".into(), clock: 3 }),
        (&["-alias bob@10.0.0.2 bobby"], Command::Alias { person: "bob@10.0.0.2".into(), name: "bobby".into() }),
        (&["-alias @bob bobby"], Command::Alias { person: "bob".into(), name: "bobby".into() }),
        (&["-nick anna", "/NICK @anna"], Command::Nick { name: "anna".into() }),
        (&["-verify bob", "/verify @bob"], Command::Verify { person: "bob".into(), same: None }),
        (&["-verify bob yes", "-VERIFY @bob YES"], Command::Verify { person: "bob".into(), same: Some(true) }),
        (&["-verify bob no"], Command::Verify { person: "bob".into(), same: Some(false) }),
        (&["-unalias bobby"], Command::Unalias { name: "bobby".into() }),
        (&["-forget dave", "-forget @dave"], Command::Forget { person: "dave".into() }),
        (&["-connect 10.0.0.2:4000"], Command::Connect { address: "10.0.0.2:4000".into() }),
        (&["-msg bob hi there", "-msg @bob hi there"], send(name("bob"), "hi there", 0)),
        (&["-me waves"], send(Target::All, "*waves*", 0)),
    ];
    for (lines, expected) in cases {
        for line in lines {
            assert_eq!(command(line), expected, "{line}");
            assert_eq!(command(&line.replacen('-', "/", 1)), expected, "{line} with a slash");
        }
    }
    for line in ["-h", "-help", "/help", "/h"] {
        assert_eq!(parse(line), Ok(Input::Help));
    }
    for line in ["-q", "-quit", "-exit", "/quit", "/exit"] {
        assert_eq!(parse(line), Ok(Input::Quit));
    }
}

#[test]
fn messages_to_people_groups_and_addresses() {
    assert_eq!(command("@bob hi  there "), send(name("bob"), "hi  there ", 0));
    assert_eq!(command("@bob: hi"), send(name("bob"), "hi", 0));
    assert_eq!(command("@bob, hi"), send(name("bob"), "hi", 0));
    assert_eq!(command("@bob@10.0.0.2 hi"), send(name("bob@10.0.0.2"), "hi", 0));
    assert_eq!(command("@all hi"), send(Target::All, "hi", 0));
    assert_eq!(command("@jürgen grüß dich"), send(name("jürgen"), "grüß dich", 0));
    assert_eq!(command("@bob -lu"), send(name("bob"), "-lu", 0));
    let address = |text: &str| Target::Address(text.parse().unwrap());
    assert_eq!(command("@10.0.0.2:4000 hi"), send(address("10.0.0.2:4000"), "hi", 0));
    assert_eq!(command("@[fd00::2]:4000 hi"), send(address("[fd00::2]:4000"), "hi", 0));
    assert_eq!(command("@10.0.0.2 hi"), send(name("10.0.0.2"), "hi", 0));
}

#[test]
fn text_goes_to_everybody() {
    for text in
        ["hello", "- a list", "-5 degrees", "-> there", "/ 2", "--", "//x", "-", "/", "a -lu", "🚲 ok", "mail@x.org"]
    {
        assert_eq!(command(text), send(Target::All, text, 0));
    }
    assert_eq!(command("one\ntwo\n"), send(Target::All, "one\ntwo", 0));
    assert_eq!(command("@bob\none\ntwo"), send(name("bob"), "one\ntwo", 0));
    for nothing in ["", " ", "\t", "\r\n"] {
        assert_eq!(parse(nothing), Ok(Input::Nothing));
    }
}

#[test]
fn what_goes_out_later_is_taken_back_or_sent_by_its_number() {
    assert_eq!(command("-cancel"), Command::Cancel { number: None });
    assert_eq!(command("-cancel 3"), Command::Cancel { number: Some(3) });
    assert_eq!(command("-resend"), Command::Resend { number: None });
    assert_eq!(command("/resend 12"), Command::Resend { number: Some(12) });
    for bad in ["-cancel 0", "-cancel x", "-cancel -1", "-resend 0"] {
        assert!(misread(bad).contains(" [N]"), "{bad}");
    }
    assert!(misread("-cancel 1 2").contains("-cancel [N]"));
}

#[test]
fn a_space_in_front_makes_any_line_text_and_is_sent_unless_it_was_needed() {
    for text in ["-lu", "-nonsense", "/etc/passwd is a file", "@bob is who?", "@", "＠bob hi", "\u{feff}@bob hi", "—lu"]
    {
        assert_eq!(command(&format!(" {text}")), send(Target::All, text, 0), "{text}");
    }
    for text in [" hello", "  hello", "    -lu", "\t@bob", "\t hello", "  @bob hi ", " - so", " help me"] {
        assert_eq!(command(text), send(Target::All, text, 0), "{text:?}");
    }
    assert_eq!(command(" help"), send(Target::All, "help", 0));
    assert_eq!(command(" ?"), send(Target::All, "?", 0));
}

#[test]
fn a_paste_keeps_every_character_but_the_end_of_its_last_line() {
    let code = "    if x {\n\t-lu\n    }  \n\n  @bob";
    assert_eq!(command(code), send(Target::All, code, 0));
    assert_eq!(command(&format!("@bob {code}\n")), send(name("bob"), code, 0));
    assert_eq!(command(&format!("@bob\n{code}\r\n")), send(name("bob"), code, 0));
    assert_eq!(command(&format!("-msg bob {code}")), send(name("bob"), code, 0));
    assert_eq!(command(&format!("-delay 2 @bob {code}")), send(name("bob"), code, 2000));
    assert_eq!(command(&format!("-delay 2 {code}")), send(Target::All, code, 2000));
    assert_eq!(command(" @bob\n -lu"), send(Target::All, " @bob\n -lu", 0));
    assert_eq!(command("@bob\n@Override\nvoid x()"), send(name("bob"), "@Override\nvoid x()", 0));
}

#[test]
fn several_targets_in_front_are_one_message_to_these_people() {
    for line in ["@bob @carol hi", "@bob: @carol: hi", "@bob, @carol hi", "@bob,@carol hi", "-msg bob @carol hi"] {
        assert_eq!(command(line), send(people(&["bob", "carol"]), "hi", 0), "{line}");
    }
    assert_eq!(command("@bob @carol @dave  hi"), send(people(&["bob", "carol", "dave"]), " hi", 0));
    assert_eq!(command("-delay 1 @bob @carol hi"), send(people(&["bob", "carol"]), "hi", 1000));
    assert_eq!(command("@all @bob hi"), send(people(&["all", "bob"]), "hi", 0));
    // Text of a message is what does not stand right behind a target.
    assert_eq!(command("@bob is @carol here?"), send(name("bob"), "is @carol here?", 0));
    assert_eq!(command("@bob  @carol is here"), send(name("bob"), "@carol is here", 0));
    assert_eq!(command("@all  @bob is here"), send(Target::All, "@bob is here", 0));
    assert_eq!(
        misread("@bob @carol"),
        "there is no message: write @bob @carol MESSAGE; a space in front sends the line to everybody as text"
    );
    assert_eq!(flaw("@bob @ hi"), Flaw::EmptyTarget);
}

#[test]
fn a_text_that_is_not_looked_at_goes_to_whom_it_is_addressed() {
    let text = "  @dave\n-lu  \n";
    assert_eq!(send_to("@all", &format!("{text}\r\n")), Ok(send(Target::All, text, 0)));
    let piped = "  @dave\n-lu  \n\n";
    assert_eq!(send_to("@bob", piped), Ok(send(name("bob"), text, 0)));
    assert_eq!(send_to("@bob @carol", piped), Ok(send(people(&["bob", "carol"]), text, 0)));
    assert_eq!(send_to("@all", piped), Ok(send(Target::All, text, 0)));
    assert!(send_to("@bob", " \n").is_err());
    assert!(send_to("@", text).is_err());
}

#[test]
fn delays_take_fractions_and_a_target() {
    assert_eq!(command("-delay 3 @carol why?"), send(name("carol"), "why?", 3000));
    assert_eq!(command("-delay 0.25 hello all"), send(Target::All, "hello all", 250));
    assert_eq!(command("-delay 3600 x"), send(Target::All, "x", 3_600_000));
    assert_eq!(command("-delay 0 @cars, x"), send(name("cars"), "x", 0));
    assert_eq!(command("-delay 1.5 @[::1]:9 x"), send(Target::Address("[::1]:9".parse().unwrap()), "x", 1500));
    for bad in ["3601", "-1", "nan", "inf", "soon", "1e9", "1,5"] {
        assert!(misread(&format!("-delay {bad} x")).contains("seconds from 0 to 3600"), "{bad}");
    }
    for short in ["-delay", "-delay 3", "-delay 3  "] {
        assert_eq!(flaw(short).to_string(), "something is missing: write -delay SECONDS [@TARGET] MESSAGE");
    }
    assert!(matches!(flaw("-delay 3 @carol"), Flaw::NoMessage { .. }));
    assert_eq!(flaw("-delay 3 @ x"), Flaw::EmptyTarget);
    // A blank too many makes no private message a public one.
    assert_eq!(command("-delay 3   @carol why?"), send(name("carol"), "why?", 3000));
    assert_eq!(
        misread("-delay 3 ＠carol why?"),
        "U+FF20 looks like an @ and is none: write @ in front of a name; @all in front of the text sends it to everybody as it is"
    );
    assert!(matches!(flaw("-delay 3 -lu"), Flaw::DelayedCommand { .. }));
    assert_eq!(command("-delay 3 @all -lu"), send(Target::All, "-lu", 3000));
}

#[test]
fn history_takes_a_target_and_a_number_in_any_combination() {
    let history = |of: Option<Target>, count| Command::History { of, count, before: None, after: None };
    assert_eq!(command("-history"), history(None, None));
    assert_eq!(command("-history 20"), history(None, Some(20)));
    assert_eq!(command("-history cars"), history(Some(name("cars")), None));
    assert_eq!(command("-history @cars 20"), history(Some(name("cars")), Some(20)));
    assert_eq!(command("-history @5"), history(Some(name("5")), None));
    assert_eq!(command("-history @bob @carol"), history(Some(people(&["bob", "carol"])), None));
    assert_eq!(command("-history @bob @carol 20"), history(Some(people(&["bob", "carol"])), Some(20)));
    assert_eq!(command("-history all 3"), history(Some(Target::All), Some(3)));
    assert!(misread("-history cars many").contains("not a number of messages"));
    assert!(misread("-history 99999999999999999999999").contains("not a number of messages"));
    assert!(misread("-history cars 5 6").contains("one word too many"));
    for zero in ["-history 0", "-history cars 0", "-history @bob @carol 00"] {
        assert!(misread(zero).contains("from 1 on"), "{zero}");
    }
}

#[test]
fn a_search_takes_a_target_in_front_and_then_any_words() {
    let search = |of: Option<Target>, words: &str| Command::Search { words: words.into(), of, count: None };
    assert_eq!(command("-search @cars red 5"), search(Some(name("cars")), "red 5"));
    assert_eq!(command("-search @all red"), search(Some(Target::All), "red"));
    assert_eq!(command("-search @bob @carol red"), search(Some(people(&["bob", "carol"])), "red"));
    assert_eq!(command("-search 5"), search(None, "5"));
    assert_eq!(command("-search red @cars"), search(None, "red @cars"));
    for short in ["-search", "-search @cars "] {
        assert_eq!(flaw(short).to_string(), "something is missing: write -search [@TARGET] WORDS");
    }
    assert_eq!(flaw("-search @ red"), Flaw::EmptyTarget);
}

#[test]
fn a_message_is_named_by_its_author_and_its_number() {
    for bad in ["alice", "12", "#12", "alice#", "alice#x", "alice#-1", "alice#99999999999999999999999"] {
        assert!(misread(&format!("-show {bad}")).contains("names no message"), "{bad}");
    }
    assert_eq!(flaw("-show").to_string(), "something is missing: write -show NAME#N");
    assert_eq!(flaw("-show alice #12").to_string(), "that is one word too many: write -show NAME#N");
}

#[test]
fn seen_counts_from_one() {
    for bad in ["0", "x", "-1"] {
        assert!(misread(&format!("-seen {bad}")).contains("not a number of messages"), "{bad}");
    }
    assert_eq!(flaw("-seen 1 2").to_string(), "that is one word too many: write -seen [N]");
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_what_to_write() {
    let escape = "; a space in front sends the line to everybody as text";
    for (line, flaw) in [
        ("-joingruop cars", "there is no command -joingruop; did you mean -joingroup?; -h lists them all"),
        ("@", "write a name right behind the @: @alice hello"),
        ("@ bob hi", "write a name right behind the @: @alice hello"),
        ("@bob", "there is no message: write @bob MESSAGE"),
        ("@bob:  ", "there is no message: write @bob MESSAGE"),
        ("-lu bob", "that is one word too many: write -listusers"),
        ("-creategroup", "something is missing: write -creategroup GROUP"),
        ("-creategroup @", "something is missing: write -creategroup GROUP"),
        ("-creategroup my cars", "that is one word too many: write -creategroup GROUP"),
        ("-alias bob", "something is missing: write -alias PERSON NAME"),
        ("-verify", "something is missing: write -verify PERSON [yes|no]"),
        ("-verify bob perhaps", "\"perhaps\" is neither yes nor no: write -verify PERSON [yes|no]"),
        ("-verify bob yes no", "\"yes no\" is neither yes nor no: write -verify PERSON [yes|no]"),
        ("\u{200b}@bob hi", "U+200B in front of the @ cannot be seen or is an odd blank: write the @ first"),
        ("＠bob hi", "U+FF20 looks like an @ and is none: write @ in front of a name"),
        ("—lu", "\"—lu\" looks like a command and is none: write -lu"),
        ("Quit", "\"Quit\" alone is not sent: did you mean -quit?"),
    ] {
        assert_eq!(misread(line), format!("{flaw}{escape}"));
    }
    for line in
        ["-x", "/tmp/x is full", "-frobnicate", &format!("-{}", "x".repeat(1 << 20)), &format!("@{}", "x".repeat(500))]
    {
        let message = misread(line);
        assert!(!message.contains('\n') && message.len() < 250, "{message}");
    }
}

#[test]
fn the_nearest_command_is_suggested_and_nothing_when_none_is_near() {
    for (given, expected) in [
        ("lsitusers", "listusers"),
        ("joingrp", "joingroup"),
        ("hlep", "help"),
        ("users", "listusers"),
        ("quti", "quit"),
    ] {
        assert_eq!(nearest(given), Some(expected), "{given}");
    }
    for given in ["zzz", "tmp/x"] {
        assert_eq!(nearest(given), None, "{given}");
    }
}

#[test]
fn help_lists_every_command_aligned() {
    let help = help();
    for spec in SPECS {
        for name in spec.names {
            assert!(help.contains(&format!("-{name}")), "{name}");
            assert_eq!(find(name).unwrap().verb, spec.verb);
        }
        assert!(help.contains(spec.about));
    }
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    let columns: Vec<_> =
        SPECS.iter().map(|spec| help.lines().find_map(|line| line.find(spec.about)).unwrap()).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{columns:?}");
}

#[test]
fn the_page_on_commands_has_every_name() {
    let page = include_str!("../../../../docs/commands.md");
    for name in SPECS.iter().flat_map(|spec| spec.names) {
        assert!(page.contains(&format!("`-{name}`")) || page.contains(&format!("`-{name} ")), "{name}");
    }
}
