//! A program without the standard library that uses `causal`. If `causal` linked the standard library, this program would have
//! two panic handlers, and would not compile (E0152): `cargo check --manifest-path crates/causal/no_std/Cargo.toml`.
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

use causal::{Config, Envelope, Limits, Process};

/// A message from one process to another, through its bytes.
pub fn round() -> Option<&'static str> {
    let [mut alice, mut bob] = [1_u64, 2].map(|id| Process::<u64, &str>::new(id, Config::default()));
    let bytes: Vec<u8> = alice.send([2]).ok()?.to_bytes();
    let envelope = Envelope::from_bytes(&bytes, &Limits::default()).ok()?;
    bob.accept(&envelope, "hello").ok()?;
    bob.next_delivery().map(|delivery| delivery.message)
}

#[panic_handler]
fn halt(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
