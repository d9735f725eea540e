use proptest::prelude::*;

use super::{diagram, hold, svg, texts};
use crate::check::tests::random::{run, steps};
use crate::check::tests::run::{Run, id, process};
use crate::diagram::names::Names;
use crate::diagram::scene::{Fate, Scene, Shape};
use crate::{Diagram, Error, Event};

fn scene(diagram: &Diagram) -> Scene {
    Scene::new(diagram, &Names::new(&diagram.history, 12, |name| name))
}

/// The triangle: 1 sends 2 a message that depends on messages of 0, which are still on their way to 2.
fn triangle() -> Run {
    let mut run = Run::new(3);
    run.send(0, 1, &[2]);
    run.push(0, Event::Send { id: id(0, 2), dests: vec![process(1), process(2)], group: Some("cars".into()) });
    run.deliver(1, 0, 2).send(1, 1, &[2]);
    run.push(2, Event::Hold { id: id(1, 1), missing: vec![id(0, 1), id(0, 2)] });
    run.deliver(2, 0, 1).deliver(2, 0, 2).deliver(2, 1, 1).stop();
    run
}

#[test]
fn the_triangle_has_its_arrows_and_its_held_message() {
    let diagram = diagram(&triangle());
    let scene = scene(&diagram);
    let ends: Vec<_> = scene.arrows.iter().map(|arrow| (arrow.from.0, arrow.to.0, arrow.direct, arrow.fate)).collect();
    let arrived = Fate::Arrived;
    assert_eq!(ends, [(0, 1, false, arrived), (1, 2, true, arrived), (0, 2, true, arrived), (0, 2, false, arrived)]);
    let [span] = &scene.spans[..] else { panic!("one message was held") };
    let rows = |shape| {
        scene.marks.iter().filter(move |mark| mark.shape == shape && mark.place.0 == 2).map(|mark| mark.place.1)
    };
    assert_eq!(Some(span.from), rows(Shape::Held).next());
    assert_eq!(Some(span.to), rows(Shape::Delivered).next_back());
    assert!(span.delivered && span.author == Some(1));
    let texts = texts(&svg(&diagram));
    for text in ["p0#1 → p2", "p0#2 [cars]", "p1#1 waits for p0#1 +1", "3 peers, 3 messages", "leaves"] {
        assert!(texts.lines().any(|line| line == text), "{text:?} is missing: {texts}");
    }
    assert!(!texts.contains("Left out"), "{texts}");
}

#[test]
fn losses_and_kills_are_visible() {
    let mut run = Run::new(4);
    run.send(0, 1, &[1, 2]).send(0, 2, &[1]).send(0, 3, &[3]);
    run.abandon(1, 0, 1, 1).deliver(1, 0, 2).late(1, 0, 1).push(1, Event::Forget { process: process(3) });
    run.push(2, Event::Hold { id: id(0, 1), missing: vec![id(0, 9)] });
    run.push(2, Event::Start { supersedes: None });
    for peer in 0..3 {
        run.push(peer, Event::Stop);
    }
    run.push(3, Event::Start { supersedes: None });
    let diagram = diagram(&run);
    let told = texts(&svg(&diagram));
    for text in [
        "gives up p0#1",
        "p0#1, late",
        "forgets p3",
        "p0#1 waits for p0#9",
        "killed",
        "starts again",
        "killed, or still running",
    ] {
        assert!(told.lines().any(|line| line == text), "{text:?} is missing: {told}");
    }
    let scene = scene(&diagram);
    let lost: Vec<_> = scene.arrows.iter().filter(|arrow| arrow.fate == Fate::Lost).map(|arrow| arrow.to.0).collect();
    assert_eq!(lost, [3]);
    assert!(!scene.spans[0].delivered);
}

#[test]
fn a_broken_rule_is_marked_where_it_was_broken() {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1).deliver(1, 0, 1).send(1, 1, &[2]).deliver(2, 1, 1).deliver(2, 0, 1);
    let texts = texts(&svg(&diagram(&run)));
    for text in ["p0#1, out of order", "against the rules"] {
        assert!(texts.lines().any(|line| line == text), "{text:?} is missing: {texts}");
    }
    assert!(texts.contains("rules are broken 2 times"), "{texts}");
}

#[test]
fn names_from_the_network_are_drawn_and_not_obeyed() {
    let hostile = [
        "</text><script>alert(1)</script>",
        "\u{202e}evil\u{0}\u{1b}[2J\u{ffff}\u{fffe}\r\n&amp;\"'",
        "鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻鱻",
        "דוד",
    ];
    let mut run = triangle();
    run.0.push(Vec::new());
    run.push(3, Event::Send { id: id(3, 1), dests: vec![process(0)], group: Some(hostile[1].into()) });
    for (records, name) in run.0.iter_mut().zip(hostile) {
        records.iter_mut().for_each(|record| record.name = name.into());
    }
    let svg = svg(&diagram(&run));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let known = ["svg", "title", "desc", "style", "rect", "path", "circle", "text"];
    assert!(
        document.descendants().filter(|node| node.is_element()).all(|node| known.contains(&node.tag_name().name()))
    );
    let forbidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{fffe}\u{ffff}".contains(c);
    assert!(!svg.contains(forbidden), "{svg}");
    let texts = texts(&svg);
    assert!(texts.contains("<U+202E>") && texts.contains("鱻…") && texts.contains("\u{2068}דוד\u{2069}"), "{texts}");
}

#[test]
fn traces_without_an_event_cannot_be_drawn() {
    assert!(matches!(Run::new(2).written(Diagram::read), Err(Error::Empty)));
}

#[test]
fn an_author_without_a_trace_has_a_line_with_its_known_messages() {
    let mut run = triangle();
    run.0.remove(0);
    let texts = texts(&svg(&diagram(&run)));
    assert!(texts.contains("no trace") && texts.contains("P0#2"), "{texts}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// With any clocks of the machines and any traces: some of these hold a message before it was sent.
    #[test]
    fn no_arrow_points_back_in_time(
        steps in steps(5),
        ordered: bool,
        clocks in prop::array::uniform5(-1_000_000i64..1_000_000),
        holds in prop::collection::vec((0..5usize, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let mut run = run(5, &steps, ordered);
        for (peer, of, at) in holds {
            hold(&mut run, peer, of, |delivery| at.index(delivery + 1));
        }
        for (records, skew) in run.0.iter_mut().zip(clocks) {
            records.iter_mut().for_each(|record| record.ts += skew);
        }
        let diagram = diagram(&run);
        let scene = scene(&diagram);
        for arrow in &scene.arrows {
            prop_assert!(arrow.from.1 < arrow.to.1, "{:?} to {:?}", arrow.from, arrow.to);
        }
        for line in 0..scene.lines.len() {
            let rows: Vec<_> = scene.marks.iter().filter(|mark| mark.place.0 == line).map(|mark| mark.place.1).collect();
            prop_assert!(rows.is_sorted_by(|a, b| a < b), "{rows:?}");
        }
        let sent = scene.marks.iter().filter(|mark| matches!(mark.shape, Shape::Sent | Shape::Direct)).count();
        prop_assert_eq!(sent + scene.left_out.messages(), diagram.report.messages);
        texts(&svg(&diagram));
    }
}
