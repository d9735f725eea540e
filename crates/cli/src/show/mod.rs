//! How events and answers look as lines of text.

mod answers;
mod colour;
mod fold;
mod harmless;
mod lines;
#[cfg(test)]
mod tests;
mod wrap;

pub(crate) use answers::told_others;
pub(crate) use colour::Paint;
pub(crate) use harmless::{harmless, harmless_line};
pub(crate) use lines::{Show, said};
pub(crate) use wrap::{room, wrap};
