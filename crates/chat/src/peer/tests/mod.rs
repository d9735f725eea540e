//! Peers in one process, joined by links that keep their order and can be slow, cut and healed.

mod carrying;
mod conversations;
mod faults;
mod halves;
mod hostile;
mod newcomers;
mod store;
mod world;
