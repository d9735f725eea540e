//! Messages are as small as they have to be.

use bench::TARGETS;

#[test]
fn messages_are_as_small_as_they_have_to_be() {
    for target in TARGETS.iter().filter(|target| target.fast) {
        let (measured, most) = target.measure();
        assert!(measured <= most, "{}: {measured:.1} bytes, {most:.1} at most", target.name);
    }
}
