//! Runs each example, with its assertions.

#[path = "../examples/channels.rs"]
mod channels;
#[path = "../examples/rejoin.rs"]
mod rejoin;
#[path = "../examples/udp.rs"]
mod udp;

#[test]
fn a_network_of_channels() {
    channels::main().unwrap();
}

#[test]
fn udp_with_loss() {
    udp::main().unwrap();
}

#[test]
fn a_crash_and_a_rejoin() {
    rejoin::main().unwrap();
}
