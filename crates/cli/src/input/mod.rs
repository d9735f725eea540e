//! What a user writes: the table of commands, and lines of text read as commands.

mod everybody;
mod misread;
mod parse;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use misread::Misread;
pub(crate) use parse::{Input, parse, send_to};
pub(crate) use spec::{SPECS, help};
