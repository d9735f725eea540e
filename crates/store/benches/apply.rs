//! How fast it is written: to come.
fn main() {}
