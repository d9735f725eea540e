//! A log for ShiViz (Beschastnikh, Wang, Brun, Ernst: *Debugging distributed systems*, CACM 59, 2016).
//!
//! ShiViz does not know messages: it draws the order that vector clocks give. They count the events of each trace, and a
//! delivery takes in the clock of the send. A message that arrives and is held back is an event of the receiver alone, as in
//! the definition for the check of traces: nothing has been shown yet.

use std::io::{self, Write};

use super::names::Names;
use super::text::{harmless, isolated};
use super::{At, Diagram};
use crate::history::{Event, Kind};
use crate::past::Past;

/// The regular expression by which ShiViz reads the log.
///
/// ShiViz takes it from the first line of a file that is opened. If you paste the log, paste the expression too.
pub const EXPRESSION: &str = r"(?<host>\S+) (?<clock>\{[^}]*\}) (?<event>.*)";

/// The columns of a name.
const NAME: usize = 40;

pub(super) fn write(diagram: &Diagram, out: &mut impl Write) -> io::Result<()> {
    let history = &diagram.history;
    let hosts = Names::new(history, NAME, host);
    let names = Names::new(history, NAME, isolated);
    let sites = history.sites.len();
    let mut pasts = vec![Past::new(sites); sites];
    let mut sent: Vec<Option<Past>> = vec![None; history.messages.len()];
    // The second line is the separator between runs. It is empty, because there is only one run.
    writeln!(out, "{EXPRESSION}\n")?;
    for &(site, position) in &diagram.order {
        let event = history.sites[site as usize].events[position as usize];
        let past = &mut pasts[site as usize];
        past.set(site, position + 1);
        match event.kind {
            Kind::Send(message) => sent[message as usize] = Some(past.clone()),
            Kind::Deliver(message) | Kind::Late(message) => {
                past.join(sent[message as usize].as_ref().expect("the send comes first in the order"));
            }
            Kind::Hold(_)
            | Kind::Abandon(_)
            | Kind::Show(_)
            | Kind::ShowLate(_)
            | Kind::Start
            | Kind::Stop
            | Kind::Forget(_)
            | Kind::Struck => {}
        }
        write!(out, "{} {{", hosts.site(history, site))?;
        let mut comma = "";
        for other in (0..sites as u32).filter(|&other| past.of(other) > 0) {
            write!(out, "{comma}\"{}\":{}", hosts.site(history, other), past.of(other))?;
            comma = ",";
        }
        writeln!(out, "}} {}", told(diagram, &names, (site, position), event))?;
    }
    Ok(())
}

/// A name in the form of a host. It has no spaces, because the expression splits lines at them, and no characters with a
/// meaning in JSON, because the clock is JSON. The `@` keeps ShiViz from taking a name like `constructor` for a built-in
/// one.
fn host(name: String) -> String {
    let plain = |c: char| if c.is_whitespace() || "\"\\{}".contains(c) { '_' } else { c };
    format!("@{}", name.chars().map(plain).collect::<String>())
}

fn told(diagram: &Diagram, names: &Names, at: At, event: Event) -> String {
    let history = &diagram.history;
    let what = |message| names.message(history, message);
    let list = |mut items: Vec<String>| {
        const SHOWN: usize = 8;
        let more = items.len().saturating_sub(SHOWN);
        items.truncate(SHOWN);
        items.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    match event.kind {
        Kind::Send(message) => {
            let sent = history.messages[message as usize].sent.expect("a send was read");
            let to = history.destinations(sent).iter().map(|&to| names.process(to).to_owned()).collect();
            let group = history.group_of(sent).map(|group| format!(" [{}]", isolated(harmless(group, NAME))));
            format!("sends {}{} to {}", what(message), group.unwrap_or_default(), list(to))
        }
        Kind::Deliver(message) if diagram.disordered.contains(&at) => {
            format!("delivers {} out of order", what(message))
        }
        Kind::Deliver(message) => format!("delivers {}", what(message)),
        Kind::Late(message) => format!("delivers {} late", what(message)),
        Kind::Hold(message) => {
            let missing = history.waits.get(&at).map_or(&[][..], AsRef::as_ref);
            format!("holds {}, which waits for {}", what(message), list(missing.iter().map(|&m| what(m)).collect()))
        }
        Kind::Show(message) | Kind::ShowLate(message) => format!("is shown {} as history", what(message)),
        Kind::Abandon(range) => format!("gives up {}", names.range(history, range)),
        Kind::Forget(process) => format!("forgets {}", names.process(process)),
        Kind::Start => "starts".to_owned(),
        Kind::Stop => "leaves".to_owned(),
        Kind::Struck => "does something against the rules".to_owned(),
    }
}
