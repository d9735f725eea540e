//! The liar tells lies of every kind, so it still knows the frames well enough.

use std::collections::BTreeMap;

use simulation::liar::Lie;
use simulation::replay;
use simulation::world::{Keep, World};

/// How many schedules. About one in seven has a liar, which tells one or two kinds of lies.
const SCHEDULES: u64 = 1500;

#[test]
fn every_kind_of_lie_is_told() {
    let mut told: BTreeMap<Lie, u64> = BTreeMap::new();
    for seed in (0..SCHEDULES).filter(|&seed| World::new(seed, Keep::default()).liar().is_some()) {
        let (world, _) = replay(seed, Keep::default());
        let liar = world.as_ref().and_then(|world| world.liar());
        for (&lie, &count) in liar.into_iter().flat_map(|liar| liar.told()) {
            *told.entry(lie).or_default() += count;
        }
    }
    use Lie::{
        Boasted, Damaged, Dated, Garbled, Misnamed, Pretended, Promised, Renamed, Repeated, Reworded, Stamped,
        TwoFaced, Withheld,
    };
    for lie in [
        Garbled, Withheld, Repeated, Reworded, Renamed, Damaged, TwoFaced, Misnamed, Boasted, Pretended, Stamped,
        Promised, Dated,
    ] {
        assert!(told.get(&lie).is_some_and(|&count| count > 10), "{lie:?}: of all {told:?}");
    }
}
