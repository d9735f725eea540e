use proptest::prelude::*;

use super::*;
use crate::{Incarnation, codec};

fn author(seed: u8) -> (Identity, ProcessId) {
    let identity = Identity::from_seed([seed; 32]);
    let process = ProcessId { person: identity.person(), incarnation: Incarnation(u64::from(seed)) };
    (identity, process)
}

fn batch(messages: usize) -> (ProcessId, Vec<Hash>, Signature) {
    let (identity, process) = author(1);
    let leaves: Vec<Hash> = (0..messages).map(|n| leaf(&[1, 2, 3], &n.to_be_bytes())).collect();
    let signature = sign(&identity, &process, &leaves);
    (process, leaves, signature)
}

fn proof(leaves: &[Hash], index: usize, signature: Signature) -> Proof {
    let mut others = leaves.to_vec();
    others.remove(index);
    Proof { index: index as u16, leaves_of_others: others, signature }
}

fn check(proof: &Proof, author: &ProcessId, leaf: &Hash) -> Result<(), BadProof> {
    check_with(&mut Verified::new(1), proof, author, leaf)
}

fn check_with(verified: &mut Verified, proof: &Proof, author: &ProcessId, leaf: &Hash) -> Result<(), BadProof> {
    verified.verify(author, &proof.leaves(leaf)?, &proof.signature)
}

#[test]
fn each_message_of_a_batch_is_proved_and_no_other() {
    for messages in [1, 2, 3, MAX_LEAVES] {
        let (process, leaves, signature) = batch(messages);
        assert_eq!(verify(&process, &leaves, &signature), Ok(()));
        for (index, hash) in leaves.iter().enumerate() {
            let proof = proof(&leaves, index, signature);
            assert_eq!(check(&proof, &process, hash), Ok(()));
            assert!(check(&proof, &process, &leaf(&[1, 2, 3], b"forged")).is_err());
            assert_eq!(codec::decode::<Proof>(&codec::encode(&proof), 4096), Ok(proof));
        }
    }
}

#[test]
fn a_proof_is_bound_to_its_author_and_incarnation() {
    let (process, leaves, signature) = batch(3);
    let proof = proof(&leaves, 0, signature);
    let (_, other) = author(2);
    assert!(check(&proof, &other, &leaves[0]).is_err());
    assert!(check(&proof, &ProcessId { incarnation: Incarnation(9), ..process }, &leaves[0]).is_err());
}

#[test]
fn the_place_counts() {
    let (process, leaves, signature) = batch(3);
    let mut moved = proof(&leaves, 0, signature);
    moved.index = 1;
    assert!(check(&moved, &process, &leaves[0]).is_err());
    moved.index = 3;
    assert_eq!(check(&moved, &process, &leaves[0]), Err(BadProof::OutOfBatch { index: 3, leaves: 3 }));
}

#[test]
fn a_batch_has_a_bound() {
    let (process, leaves, signature) = batch(MAX_LEAVES);
    let mut long = proof(&leaves, 0, signature);
    long.leaves_of_others.push(leaves[1]);
    assert_eq!(check(&long, &process, &leaves[0]), Err(BadProof::TooLong { leaves: MAX_LEAVES + 1 }));
}

#[test]
fn no_byte_moves_between_envelope_and_body() {
    assert_ne!(leaf(b"ab", b"c"), leaf(b"a", b"bc"));
    assert_ne!(leaf(b"", b"abc"), leaf(b"abc", b""));
}

#[test]
fn the_memory_of_verified_batches_is_bounded_and_believes_nothing_new() {
    let mut verified = Verified::new(2);
    let (identity, process) = author(1);
    let batches: Vec<_> = (0..4u8)
        .map(|n| {
            let leaves = [leaf(&[n], b"one"), leaf(&[n], b"two")];
            (leaves, sign(&identity, &process, &leaves))
        })
        .collect();
    for (leaves, signature) in &batches {
        for (index, hash) in leaves.iter().enumerate() {
            let proof = proof(leaves, index, *signature);
            assert_eq!(check_with(&mut verified, &proof, &process, hash), Ok(()));
            assert!(check_with(&mut verified, &proof, &process, &leaf(&[9], b"forged")).is_err());
            assert!(check_with(&mut verified, &proof, &author(2).1, hash).is_err());
            let mut altered = proof.clone();
            altered.signature.0[0] ^= 1;
            assert!(check_with(&mut verified, &altered, &process, hash).is_err());
        }
        assert!(verified.recent.len() <= 2);
    }
}

proptest! {
    #[test]
    fn altering_any_byte_of_a_proof_spoils_it(messages in 1..6usize, at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let (process, leaves, signature) = batch(messages);
        let proof = proof(&leaves, messages - 1, signature);
        let mut bytes = codec::encode(&proof).to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = codec::decode::<Proof>(&bytes, 4096) {
            // The spelling of a number may differ; then it is the same proof.
            prop_assert!(altered == proof || check(&altered, &process, &leaves[messages - 1]).is_err());
        }
    }
}
