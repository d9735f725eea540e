//! The history of one peer, without the traces of the others.

use std::path::PathBuf;
use std::sync::Arc;

use super::{History, Kind, NOWHERE, Number, Site, number};
use crate::{Error, Record, Report};

impl History {
    /// The history of one running peer, from its own events alone. Each other process has a site without a path: the authors of
    /// delivered and of held messages, and the destinations of this peer's messages.
    pub(crate) fn of_one(records: &[Record]) -> Result<Self, Error> {
        let (mut history, mut report) = (Self::default(), Report::default());
        history.sites.push(Site { path: Some(PathBuf::new()), events: Vec::new() });
        let mut sends = 0;
        for (position, record) in records.iter().enumerate() {
            let event = history.event(record, 0, number(position)?, &mut sends, &mut report)?;
            history.sites[0].events.push(event);
        }
        history
            .infer_sends(|kind| if let Kind::Hold(message) = kind { Some((message, true)) } else { kind.tells_of() })?;
        for site in 1..history.sites.len() {
            let author = history.sites[site].events.first().map(|event| event.by);
            history.put_at(author, site)?;
        }
        for process in 0..history.processes.len() {
            let is_addressed = history.sets.iter().any(|set| set.contains(&(process as Number)));
            if history.processes[process].site == NOWHERE && is_addressed {
                let site = history.sites.len();
                history.sites.push(Site::default());
                history.put_at(Some(number(process)?), site)?;
            }
        }
        history.sort_sends();
        Ok(history)
    }

    fn put_at(&mut self, process: Option<Number>, site: usize) -> Result<(), Error> {
        if let Some(process) = process {
            self.processes[process as usize].site = number(site)?;
        }
        Ok(())
    }

    /// The id of the process of a site; the last one if there are several.
    pub(crate) fn process_of(&self, site: Number) -> Arc<str> {
        let process = self.processes.iter().rfind(|process| process.site == site);
        process.map_or_else(|| "?".into(), |process| Arc::clone(&process.id))
    }
}
