//! Two halves that were apart meet again: what each lacks comes from one member and not from all.

use std::time::Duration;

use super::world::World;
use crate::{Config, Journal};

/// How often anything crossed that was delivered once.
fn crossings_a_delivery(world: &World, deliveries_before: usize) -> f64 {
    let crossed: usize = world.crossed.values().map(|crossed| crossed.messages + crossed.parcels).sum();
    crossed as f64 / (deliveries(world) - deliveries_before) as f64
}

fn deliveries(world: &World) -> usize {
    let delivered = |entry: &&Journal| matches!(entry, Journal::Deliver { .. } | Journal::Late { .. });
    world.people.iter().map(|someone| someone.journal.iter().filter(delivered).count()).sum()
}

/// 20 peers; each half chats by itself, and one author on each side dies before they meet.
fn apart(rounds: usize) -> (World, Vec<usize>, Vec<usize>) {
    let names: Vec<String> = (0..20).map(|number| format!("peer{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::with_config(&names, Config { journal: true, ..Config::default() });
    world.link_all();
    world.pass(Duration::from_secs(5));
    let (left, right): (Vec<usize>, Vec<usize>) = (0..20).partition(|who| who % 2 == 0);
    world.split(&left, &right);
    world.pass(Duration::from_secs(5));
    for round in 0..rounds {
        for who in 0..20 {
            world.say(who, "all", &format!("{who} says {round}"));
        }
        world.settle();
    }
    world.pass(Duration::from_secs(5));
    world.kill(left[0]);
    world.kill(right[0]);
    world.pass(Duration::from_secs(20));
    world.crossed.clear();
    (world, left[1..].to_vec(), right[1..].to_vec())
}

fn check(world: &World, rounds: usize, before: usize, alive: &[usize]) {
    for &who in alive {
        let heard = world.shown(who).len();
        assert_eq!(heard, 19 * rounds, "{who} has everything of everybody");
    }
    let lacked = alive.len() * 10 * rounds;
    assert!(deliveries(world) - before >= lacked);
    let crossings = crossings_a_delivery(world, before);
    assert!(crossings <= 1.05, "{crossings:.3} crossings a delivery");
}

#[test]
fn two_halves_that_meet_again_move_each_envelope_about_once() {
    let rounds = 20;
    let (mut world, left, right) = apart(rounds);
    let before = deliveries(&world);
    for &a in &left {
        for &b in &right {
            world.link(a, b);
        }
    }
    world.pass(Duration::from_secs(5));
    check(&world, rounds, before, &[left, right].concat());
}

/// As links come up in life: one after the other, and what can move meanwhile does.
#[test]
fn halves_whose_links_come_up_one_by_one_do_so_too() {
    let rounds = 20;
    let (mut world, left, right) = apart(rounds);
    let before = deliveries(&world);
    for &a in &left {
        for &b in &right {
            world.link(a, b);
            for _ in 0..world.dice(40) {
                world.step();
            }
        }
    }
    world.pass(Duration::from_secs(5));
    check(&world, rounds, before, &[left, right].concat());
}
