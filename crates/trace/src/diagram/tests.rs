mod left_out;
mod picture;
mod vector_clocks;

use proptest::sample::Index;

use crate::check::tests::run::Run;
use crate::{Diagram, Event};

fn diagram(run: &Run) -> Diagram {
    run.written(Diagram::read).unwrap()
}

fn svg(diagram: &Diagram) -> String {
    let mut svg = Vec::new();
    diagram.write_svg(&mut svg).unwrap();
    String::from_utf8(svg).unwrap()
}

/// Makes a peer hold back a message that it delivers. `place` gives the position of the hold from that of the delivery.
fn hold(run: &mut Run, peer: usize, which: Index, place: impl Fn(usize) -> usize) {
    let records = &mut run.0[peer];
    let deliveries: Vec<usize> =
        (0..records.len()).filter(|&at| matches!(records[at].event, Event::Deliver { .. })).collect();
    if deliveries.is_empty() {
        return;
    }
    let at = deliveries[which.index(deliveries.len())];
    let mut record = records[at].clone();
    if let Event::Deliver { id } = record.event {
        record.event = Event::Hold { id, missing: Vec::new() };
        records.insert(place(at), record);
    }
}

/// Every text of a drawing, one per line. Panics if the drawing is not well-formed.
fn texts(svg: &str) -> String {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    let texts = document.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text());
    texts.collect::<Vec<_>>().join("\n")
}
