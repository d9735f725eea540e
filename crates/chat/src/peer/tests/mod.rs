//! Peers in one process, joined by links that keep their order and can be slow, cut and healed.

mod asking;
mod bounded;
mod carrying;
mod clocks;
mod conversations;
mod copies;
mod deletion;
mod departure;
mod faults;
mod gaps;
mod halves;
mod handed;
mod homecoming;
mod hostile;
mod long_history;
mod naming;
mod newcomers;
mod requests;
mod rolled_back;
mod said_again;
mod scheduled;
mod searching;
mod seen;
mod several;
mod store;
mod world;
