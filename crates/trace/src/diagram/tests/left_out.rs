use super::{diagram, svg, texts};
use crate::check::tests::run::Run;
use crate::diagram::names::Names;
use crate::diagram::scene::{Fate, ITEMS, LINES, Scene, Shape};
use crate::{Diagram, Event};

/// The peers send in turn, each to all others, which deliver the message at once.
fn chat(peers: usize, messages: usize) -> Run {
    let mut run = Run::new(peers);
    for number in 0..messages {
        let author = number % peers;
        let clock = (number / peers + 1) as u64;
        let others: Vec<usize> = (0..peers).filter(|&peer| peer != author).collect();
        run.send(author, clock, &others);
        for peer in others {
            run.deliver(peer, author, clock);
        }
    }
    run.stop();
    run
}

#[test]
fn sixty_messages_of_five_peers_are_all_there() {
    let diagram = diagram(&chat(5, 60));
    let texts = texts(&svg(&diagram));
    assert!(texts.starts_with("5 peers, 60 messages\n") && !texts.contains("Left out"), "{texts}");
    assert_eq!(texts.lines().filter(|line| line.contains("leaves")).count(), 5);
}

#[test]
fn messages_after_the_end_are_counted_and_arrows_across_it_go_on() {
    let diagram = diagram(&chat(30, 200));
    let scene = Scene::new(&diagram, &Names::new(&diagram.history, 12, |name| name));
    let sent = scene.marks.iter().filter(|mark| mark.shape == Shape::Sent).count();
    assert_eq!(scene.left_out.after, 200 - sent);
    assert_eq!(scene.left_out.messages(), 200 - sent);
    assert!(scene.marks.len() + scene.arrows.len() <= ITEMS + scene.lines.len());
    assert_eq!(scene.arrows.len(), sent * 29);
    assert!(scene.arrows.iter().all(|arrow| arrow.fate != Fate::Lost));
    assert!(scene.lines.iter().all(|line| line.goes_on));
    let svg = svg(&diagram);
    assert!(svg.len() < 1 << 20);
    let texts = texts(&svg);
    assert!(texts.starts_with(&format!("30 peers, {sent} of 200 messages\n")), "{texts}");
    assert!(texts.contains(&format!("Left out: {} messages that come after the end", 200 - sent)), "{texts}");
}

#[test]
fn peers_beyond_the_last_line_are_counted_with_their_messages() {
    let peers = LINES + 8;
    let mut run = chat(peers, 0);
    run.0.iter_mut().for_each(Vec::clear);
    // The last peer is not drawn, and neither are its messages nor the copies to it.
    let last = peers - 1;
    for peer in 0..peers {
        run.send(peer, 1, &[last, (peer + 1) % 4]);
    }
    for peer in 0..last {
        run.deliver(last, peer, 1);
    }
    run.stop();
    let diagram = diagram(&run);
    let scene = Scene::new(&diagram, &Names::new(&diagram.history, 12, |name| name));
    assert_eq!((scene.lines.len(), scene.left_out.lines), (LINES, 8));
    assert_eq!((scene.left_out.of_lines, scene.left_out.to_lines), (8, LINES));
    let texts = texts(&svg(&diagram));
    assert!(texts.contains(&format!("{LINES} of {peers} peers, {LINES} of {peers} messages")), "{texts}");
    assert!(texts.contains("Left out: 8 peers with the 8 messages they sent"), "{texts}");
}

#[test]
fn copies_to_peers_without_a_trace_are_counted() {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1).stop();
    run.0.pop();
    let texts = texts(&svg(&diagram(&run)));
    assert!(texts.contains("Left out: 1 copy of these messages to peers without a trace."), "{texts}");
}

#[test]
fn the_largest_possible_drawing_is_still_small() {
    let id = |clock| crate::check::tests::run::id(0, clock);
    // All peers hold all messages back for ever.
    let mut held = Run::new(LINES);
    for clock in 1..40 {
        held.send(0, clock, &(1..LINES).collect::<Vec<_>>());
        for peer in 1..LINES {
            held.push(peer, Event::Hold { id: id(clock), missing: vec![id(clock); 3] });
        }
    }
    // One peer has all events, and the others are silent: the most rows.
    let mut alone = Run::new(LINES);
    for peer in 1..LINES {
        alone.push(peer, Event::Start { supersedes: None });
    }
    for clock in 1..3_000 {
        alone.push(0, Event::Abandon { id: id(clock), upto: u64::MAX });
    }
    for mut run in [held, alone] {
        // Of all characters, this one takes the most bytes.
        run.0.iter_mut().flatten().for_each(|record| record.name = "\"".repeat(1_000).into());
        let svg = svg(&diagram(&run));
        assert!(svg.len() < 2 << 20, "{}", svg.len());
    }
}

#[test]
fn a_note_for_each_of_many_traces_does_not_fill_the_drawing() {
    let mut run = chat(9, 9);
    run.stop();
    let diagram = run.written(|files| {
        for file in files {
            let mut torn = std::fs::read(file).unwrap();
            torn.pop();
            torn.truncate(torn.len() - 3);
            std::fs::write(file, torn).unwrap();
        }
        Diagram::read(files).unwrap()
    });
    assert_eq!(diagram.notes().len(), 9);
    let texts = texts(&svg(&diagram));
    assert!(texts.contains("… and 4 more notes"), "{texts}");
    assert_eq!(texts.matches("the last line has no end").count(), 5);
}
