use proptest::prelude::*;

use super::*;
use crate::Incarnation;

fn identity() -> Identity {
    Identity::from_seed([7; 32])
}

fn record(groups: usize, addresses: usize) -> Record {
    Record {
        process: ProcessId { person: identity().person(), incarnation: Incarnation(3) },
        name: Name::parse("alice").unwrap(),
        groups: (0..groups).map(|n| Name::parse(&format!("{n:𝟎>32}").replace('0', "𝟎")).unwrap()).collect(),
        addresses: (0..addresses).map(|n| SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, n as u16], 4000))).collect(),
        version: Hlc { micros: 1_700_000_000_000_000, logical: 0 },
        rank: 0,
        started_as: None,
    }
}

#[test]
fn what_was_signed_is_what_is_read() {
    for (groups, addresses) in [(0, 0), (3, 2), (MAX_GROUPS, MAX_ADDRESSES)] {
        let record = record(groups, addresses);
        let signed = SignedRecord::sign(&identity(), &record);
        assert!(signed.bytes().len() <= MAX_BYTES, "{}", signed.bytes().len());
        assert_eq!(signed.person(), Some(record.process.person));
        assert_eq!(signed.verify(), Ok(record));
        assert_eq!(codec::decode::<SignedRecord>(&codec::encode(&signed), codec::MAX_INPUT), Ok(signed));
    }
}

#[test]
fn nobody_writes_anothers_record() {
    let mallory = Identity::from_seed([8; 32]);
    let forged = SignedRecord::forged(&mallory, &record(1, 1));
    assert_eq!(forged.verify(), Err(BadRecord::Signature(BadSignature { by: identity().person() })));
}

#[test]
fn a_signature_over_another_kind_of_bytes_does_not_serve() {
    let bytes = codec::encode(&record(1, 1));
    let reused = SignedRecord { signature: identity().sign(&bytes), bytes };
    assert!(matches!(reused.verify(), Err(BadRecord::Signature(_))));
}

#[test]
fn bounds() {
    let refusal = |record: &Record| SignedRecord::sign(&identity(), record).verify().unwrap_err();
    let person = identity().person();
    assert_eq!(
        refusal(&record(MAX_GROUPS + 1, 0)),
        BadRecord::TooMany { person, what: "groups", count: MAX_GROUPS + 1, limit: MAX_GROUPS }
    );
    assert_eq!(
        refusal(&record(0, MAX_ADDRESSES + 1)),
        BadRecord::TooMany { person, what: "addresses", count: MAX_ADDRESSES + 1, limit: MAX_ADDRESSES }
    );
    assert!(matches!(refusal(&record(2 * MAX_GROUPS, 0)), BadRecord::Malformed(_)));
    let late = Record { version: Hlc { micros: END_OF_TIME, logical: 0 }, ..record(0, 0) };
    assert_eq!(refusal(&late), BadRecord::EndOfTime { person });
}

proptest! {
    #[test]
    fn an_altered_record_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let signed = SignedRecord::sign(&identity(), &record(2, 2));
        let mut bytes = codec::encode(&signed).to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = codec::decode::<SignedRecord>(&bytes, codec::MAX_INPUT) {
            prop_assert!(altered.verify().is_err());
        }
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let signed = SignedRecord { bytes: bytes.into(), signature: Signature([0; 64]) };
        prop_assert!(signed.verify().is_err());
    }
}

/// What a store of before holds, and what no peer writes any more.
#[test]
fn a_record_without_a_rank_is_one_of_rank_0() {
    let Record { process, name, groups, addresses, version, .. } = record(2, 1);
    let bytes = codec::encode(&(process, &name, &groups, &addresses, version));
    let signed = SignedRecord { signature: identity().sign(&statement(&bytes)), bytes };
    assert_eq!(signed.verify(), Ok(record(2, 1)));
}
