//! Whatever happens, in whatever order: people talk, join, leave, delay what they say, crash and come back, while links
//! are cut and the network splits. In the end everything heals, and the traces of everybody are in causal order and
//! complete.

use std::time::Duration;

use crate::dice::Dice;
use crate::peer::Peer;
use crate::support::net::Net;

const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

#[test]
fn everything_is_in_order_and_complete_after_cuts_and_splits() {
    let Some(mut net) = Net::new() else { return };
    let peers = chaos(&mut net, false);
    net.check_complete(peers);
}

#[test]
fn everything_is_in_order_and_complete_after_crashes_too() {
    let Some(mut net) = Net::new() else { return };
    let peers = chaos(&mut net, true);
    net.check_complete(peers);
}

fn two(dice: &mut Dice) -> (usize, usize) {
    let first = dice.below(NAMES.len());
    (first, (first + 1 + dice.below(NAMES.len() - 1)) % NAMES.len())
}

fn chaos(net: &mut Net, crashes: bool) -> Vec<Peer> {
    let mut dice = Dice::new();
    let seed = dice.seed;
    let mut peers: Vec<Peer> = NAMES.iter().map(|name| net.spawn(name, &[])).collect();
    for peer in &peers {
        for name in NAMES.iter().filter(|name| **name != peer.name()) {
            peer.meets(name);
        }
    }
    for turn in 0..150 {
        let (one, other) = two(&mut dice);
        let name = NAMES[other];
        match dice.below(40) {
            0 => peers[one].write("-creategroup cars"),
            1..=3 => peers[one].write("-joingroup cars"),
            4 => peers[one].write("-leavegroup cars"),
            5..=10 => peers[one].write(&format!("@cars turn {turn}")),
            11..=15 => peers[one].write(&format!("@{name} turn {turn}")),
            16 | 17 => peers[one].write(&format!("-delay 1.5 @{name} turn {turn}")),
            18 => peers[one].write(&format!("-delay 1 turn {turn}")),
            19 => net.cut(NAMES[one], name),
            20 => net.split(&[NAMES[one], name]),
            21 => net.heal(),
            22 if crashes => {
                peers[one].kill();
                peers[one].restart();
            }
            _ => peers[one].write(&format!("turn {turn}")),
        }
        std::thread::sleep(Duration::from_millis(dice.below(250) as u64));
    }
    net.heal();
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.say(&format!("the end of {number}, CAUSERIE_SEED={seed}"));
    }
    for peer in &peers {
        for number in (0..NAMES.len()).filter(|number| NAMES[*number] != peer.name()) {
            peer.hears(&format!("the end of {number}, CAUSERIE_SEED={seed}"));
        }
    }
    peers
}
