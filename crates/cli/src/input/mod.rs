//! What a user writes: the table of commands, and lines of text read as commands.

mod misread;
mod parse;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use misread::Misread;
pub(crate) use parse::{Input, parse};
pub(crate) use spec::{SPECS, help};
