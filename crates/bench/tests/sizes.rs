//! Messages stay within the targets for their size.

use bench::TARGETS;

#[test]
fn messages_stay_within_their_size_targets() {
    for target in TARGETS.iter().filter(|target| target.fast) {
        let (measured, most) = target.measure();
        assert!(measured <= most, "{}: {measured:.1} bytes, {most:.1} at most", target.name);
    }
}
