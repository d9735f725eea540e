use super::*;

const NEAR: &str = "127.0.0.1:1000";
const FAR: &str = "192.0.2.1:1000";

fn introduction(peer: u8, address: &str) -> Introduction {
    let start = Start { r: u64::from(peer), at: 1 };
    Introduction { peer: [peer; 32], start, addresses: vec![address.parse().unwrap()] }
}

fn circle(me: u8) -> Circle {
    Circle::new(&[me; 32], &Start { r: u64::from(me), at: 1 })
}

fn join(circle: &mut Circle, now: Instant, peer: u8, stranger: bool) -> Vec<Letter> {
    join_as(circle, now, peer, if stranger { Relation::Stranger } else { Relation::Known })
}

fn join_as(circle: &mut Circle, now: Instant, peer: u8, relation: Relation) -> Vec<Letter> {
    circle.joined(now, LinkId(u64::from(peer)), introduction(peer, NEAR), NEAR.parse().unwrap(), relation)
}

fn told(letters: &[Letter]) -> Vec<(u64, Vec<u8>)> {
    let introductions = letters.iter().filter(|letter| letter.1 == Kind::Introduce);
    introductions.map(|(to, _, payload)| (to.0, decode(payload).unwrap().iter().map(|i| i.peer[0]).collect())).collect()
}

#[test]
fn a_stranger_meets_all_peers_at_once() {
    let (mut circle, now) = (circle(1), Instant::now());
    assert!(join(&mut circle, now, 2, true).is_empty(), "no other peer is there");
    assert_eq!(told(&join(&mut circle, now, 3, true)), [(3, vec![2]), (2, vec![3])]);
    assert_eq!(told(&join(&mut circle, now, 4, true)), [(4, vec![2, 3]), (2, vec![4]), (3, vec![4])]);
}

#[test]
fn two_that_know_the_same_peers_send_only_digests() {
    let now = Instant::now();
    let (mut first, mut second) = (circle(1), circle(2));
    join(&mut first, now, 2, false);
    join(&mut first, now, 3, false);
    join(&mut second, now, 1, false);
    join(&mut second, now, 3, false);
    let later = now + Duration::from_secs(2);
    for (to, kind, payload) in first.poll(later) {
        assert_eq!(kind, Kind::Digest);
        if to == LinkId(2) {
            assert_eq!(second.digest(LinkId(1), &payload), Some(Vec::new()));
        }
    }
    assert!(second.poll(later).iter().all(|letter| letter.1 == Kind::Digest));
    assert_eq!(first.poll_timeout(), None);
    assert!(first.poll(later + Duration::from_secs(100)).is_empty());
}

#[test]
fn two_with_different_digests_tell_each_other_once() {
    let now = Instant::now();
    let (mut first, mut second) = (circle(1), circle(2));
    join(&mut first, now, 2, false);
    join(&mut first, now, 3, false);
    join(&mut second, now, 1, false);
    let later = now + Duration::from_secs(2);
    first.poll(later);
    let digest = second.poll(later).remove(0).2;
    let letters = first.digest(LinkId(2), &digest).unwrap();
    assert_eq!(told(&letters), [(2, vec![3])]);
    let introductions = second.introduced(LinkId(1), &letters[0].2).unwrap();
    assert_eq!(introductions, [introduction(3, NEAR)]);
    assert_eq!(first.digest(LinkId(2), &digest), Some(Vec::new()), "it has been told");
    join(&mut second, now, 3, false);
    assert_eq!(told(&second.answer(LinkId(1), second.mine())), []);
}

#[test]
fn loopback_addresses_stay_on_the_machine() {
    let (mut circle, now) = (circle(1), Instant::now());
    join(&mut circle, now, 2, true);
    let far = circle.joined(now, LinkId(3), introduction(3, FAR), FAR.parse().unwrap(), Relation::Stranger);
    assert_eq!(told(&far), [(2, vec![3])]);
}

#[test]
fn the_first_neighbour_introduces_the_others_to_those_outside_at_once() {
    let (mut first, mut second, now) = (circle(1), circle(2), Instant::now());
    first.speak();
    for circle in [&mut first, &mut second] {
        assert!(join_as(circle, now, 3, Relation::Neighbour).is_empty());
        assert!(join_as(circle, now, 4, Relation::Neighbour).is_empty(), "neighbours know each other");
    }
    assert_eq!(told(&join_as(&mut first, now, 8, Relation::Known)), [(8, vec![3, 4]), (3, vec![8]), (4, vec![8])]);
    assert_eq!(told(&join_as(&mut first, now, 5, Relation::Neighbour)), [(5, vec![8]), (8, vec![5])]);
    assert!(join_as(&mut second, now, 8, Relation::Known).is_empty(), "the first one does so");
    assert!(join_as(&mut second, now, 5, Relation::Neighbour).is_empty());
    let later = now + Duration::from_secs(60);
    let digests = |circle: &mut Circle| circle.poll(later).iter().map(|letter| letter.0.0).collect::<Vec<_>>();
    assert_eq!(digests(&mut first), [3, 4, 5, 8]);
    assert_eq!(digests(&mut second), [8], "one neighbour compares for all");
    let theirs = circle(3).mine().encode();
    assert_eq!(told(&second.digest(LinkId(3), &theirs).unwrap()), [(3, vec![8])], "and is answered");
}

#[test]
fn a_stranger_meets_the_neighbours_of_any_peer_at_once() {
    let (mut circle, now) = (circle(2), Instant::now());
    join_as(&mut circle, now, 1, Relation::Neighbour);
    assert_eq!(told(&join(&mut circle, now, 8, true)), [(8, vec![1]), (1, vec![8])]);
}

#[test]
fn a_neighbour_that_listens_everywhere_is_at_every_address_of_the_machine() {
    let (mut circle, now) = (circle(1), Instant::now());
    circle.speak();
    let mut neighbour = introduction(2, "0.0.0.0:7");
    neighbour.addresses.push("[::]:7".parse().unwrap());
    circle.joined(now, LinkId(2), neighbour, NEAR.parse().unwrap(), Relation::Neighbour);
    let machine = ["127.0.0.1", "192.0.2.9", "2001:db8::9"].map(|ip| ip.parse().unwrap());
    circle.machine_is_at(machine.to_vec());
    let mut addresses = |peer, at: &str| {
        let met = circle.joined(now, LinkId(peer), introduction(9, FAR), at.parse().unwrap(), Relation::Known);
        let introduced = decode(&met.iter().find(|letter| letter.0 == LinkId(peer)).unwrap().2).unwrap();
        introduced[0].addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(addresses(3, FAR), ["192.0.2.9:7", "[2001:db8::9]:7"]);
    assert_eq!(addresses(4, NEAR)[0], "127.0.0.1:7");
}

#[test]
fn many_introductions_fit_their_frames() {
    let (mut circle, now) = (circle(0), Instant::now());
    for peer in 1..=1000u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&peer.to_le_bytes());
        let addresses = vec!["[2001:db8::1]:1".parse().unwrap(); MAX_ADDRESSES];
        let introduction = Introduction { peer: key, start: Start { r: peer, at: 1 }, addresses };
        circle.joined(now, LinkId(peer), introduction, FAR.parse().unwrap(), Relation::Known);
    }
    let letters = circle.joined(now, LinkId(0), introduction(9, FAR), FAR.parse().unwrap(), Relation::Stranger);
    let mine: Vec<_> = letters.iter().filter(|letter| letter.0 == LinkId(0)).collect();
    assert!(mine.iter().all(|letter| letter.2.len() <= MAX_CONTROL));
    assert_eq!(mine.iter().map(|letter| decode(&letter.2).unwrap().len()).sum::<usize>(), 1000);
}

#[test]
fn anything_malformed_is_refused() {
    let bytes = encode(&[introduction(1, FAR), introduction(2, NEAR)]);
    let whole = bytes.len() / 2;
    for cut in (1..bytes.len()).filter(|cut| *cut != whole) {
        assert_eq!(circle(0).introduced(LinkId(0), &bytes[..cut]), None);
    }
    assert_eq!(circle(0).digest(LinkId(0), &[0; 11]), None);
    assert_eq!(circle(0).digest(LinkId(0), &[0; 13]), None);
}
