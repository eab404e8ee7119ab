//! A party that shows two histories of one log is convicted by its own signatures, and one that only
//! lets its log grow never is.

use detente_crypto::SUITE_1;
use detente_transparency::{
    Accused, Checkpoint, Claim, Equivocation, EquivocationError, Evidence, Extension, Hash, Head, Key,
    KeyKind, LineEvidence, MemoryTree, Name, PublicKey, Role, consistency_proof, leaf_hash, root,
};
use proptest::prelude::*;

const LOG: &str = "detente/c/altair/ordinary/1-00";
const COSIGNER: &str = "detente/c/altair/cosigner";
const SEED: [u8; 32] = [7; 32];
const TIME_S: u64 = 1_800_000_000;

struct Altair {
    log: Vec<PublicKey>,
    cosigner: Vec<PublicKey>,
}

impl Altair {
    fn new() -> Self {
        let ed25519 = PublicKey::new(SUITE_1, &SUITE_1.ed25519_public(&SEED)).expect("a public key");
        let mldsa = PublicKey::new(SUITE_1, &SUITE_1.mldsa_public(&SEED)).expect("a public key");
        Self { log: vec![ed25519.clone(), mldsa.clone()], cosigner: vec![ed25519, mldsa] }
    }

    fn claim(&self, kind: KeyKind, head: Head) -> Claim {
        let (role, name, keys) = if kind.is_log() {
            (Role::Log, LOG, &self.log)
        } else {
            (Role::Cosigner, COSIGNER, &self.cosigner)
        };
        let public = keys[usize::from(kind.is_post_quantum())].clone();
        let key = Key::new(name.parse().expect("a name"), role, public);
        assert_eq!(key.kind(), kind);
        let time_s = if kind.is_log() { 0 } else { TIME_S };
        let message = key.message(&Checkpoint { origin: LOG.parse().expect("a name"), head }, time_s);
        let signature = if kind.is_post_quantum() {
            SUITE_1.mldsa_sign(&SEED, &message).to_vec()
        } else {
            SUITE_1.ed25519_sign(&SEED, &message).to_vec()
        };
        Claim { head, evidence: Evidence::Line(LineEvidence { kind, time_s, signature }) }
    }
}

impl Accused for Altair {
    fn log_keys(&self) -> &[PublicKey] {
        &self.log
    }

    fn cosigner_keys(&self) -> &[PublicKey] {
        &self.cosigner
    }

    fn cosigner_name(&self, _log: &Name) -> Option<Name> {
        COSIGNER.parse().ok()
    }

    fn owns(&self, log: &Name) -> bool {
        log.as_str() == LOG
    }

    fn named(&self, _leaf: &[u8], _log: &Name) -> Option<Head> {
        None
    }
}

const KINDS: [KeyKind; 4] =
    [KeyKind::LogEd25519, KeyKind::LogMlDsa, KeyKind::CosignerEd25519, KeyKind::CosignerMlDsa];

fn tree(size: u64, forked_at: Option<u64>) -> MemoryTree {
    let data =
        |n: u64| if Some(n) == forked_at { b"another entry".to_vec() } else { n.to_be_bytes().to_vec() };
    (0..size).map(|n| leaf_hash(&data(n))).collect()
}

fn head(tree: &MemoryTree, size: u64) -> Head {
    Head { size, root: root(tree, size).expect("the tree is whole") }
}

fn extension(tree: &MemoryTree, old: u64) -> Option<Extension> {
    let path = consistency_proof(tree, old, tree.size()).expect("the tree is whole");
    (old < tree.size()).then(|| Extension { root: head(tree, old).root, path })
}

fn accuse(claims: [Claim; 2], extension: Option<Extension>) -> Result<Equivocation, EquivocationError> {
    Equivocation::new(LOG.parse().expect("a name"), Hash([1; 32]), claims, extension)
}

#[test]
fn any_two_of_its_keys_convict() {
    let altair = Altair::new();
    let (honest, forked) = (tree(6, None), tree(9, Some(3)));
    for first in KINDS {
        for second in KINDS {
            let claims = [altair.claim(second, forked.head()), altair.claim(first, honest.head())];
            let proof = accuse(claims, extension(&forked, 6)).expect("the claims contradict each other");
            assert_eq!(proof.verify(&altair), Ok(()));
            assert_eq!(Equivocation::from_bytes(&proof.to_bytes()), Ok(proof));
        }
    }
}

#[test]
fn nobody_else_is_convicted() {
    let altair = Altair::new();
    let (honest, forked) = (tree(6, None), tree(6, Some(3)));
    let claims = [altair.claim(KINDS[0], honest.head()), altair.claim(KINDS[0], forked.head())];
    let proof = accuse(claims, None).expect("the claims contradict each other");
    let other = PublicKey::new(SUITE_1, &SUITE_1.ed25519_public(&[8; 32])).expect("a public key");
    let vega = Altair { log: vec![other.clone()], cosigner: vec![other] };
    assert!(matches!(proof.verify(&vega), Err(EquivocationError::PeerClaim(0, _))));
    let elsewhere = Equivocation { log: "detente/c/altair/ordinary/2-00".parse().expect("a name"), ..proof };
    assert_eq!(elsewhere.verify(&altair), Err(EquivocationError::PeerForeignLog(0)));
}

#[test]
fn a_proof_whose_fields_were_changed_convicts_nobody() {
    let altair = Altair::new();
    let (honest, forked) = (tree(6, None), tree(9, Some(3)));
    let claims = [altair.claim(KINDS[0], honest.head()), altair.claim(KINDS[2], forked.head())];
    let proof = accuse(claims, extension(&forked, 6)).expect("the claims contradict each other");
    let bytes = proof.to_bytes();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        // The party's name is for the caller, who looks the accused up by it.
        let Ok(read) = Equivocation::from_bytes(&damaged) else { continue };
        assert!(read.party != proof.party || read.verify(&altair).is_err(), "byte {place}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_fork_that_the_earlier_size_covers_is_provable(
        old in 1u64..200, more in 0u64..200, fork in any::<prop::sample::Index>(),
    ) {
        let altair = Altair::new();
        let fork = fork.index(old as usize) as u64;
        let (honest, forked) = (tree(old, None), tree(old + more, Some(fork)));
        let claims = [altair.claim(KINDS[0], honest.head()), altair.claim(KINDS[0], forked.head())];
        let proof = accuse(claims, extension(&forked, old)).expect("the claims contradict each other");
        prop_assert_eq!(proof.verify(&altair), Ok(()));
    }

    #[test]
    fn honest_growth_is_never_an_equivocation(old in 1u64..200, more in 0u64..200) {
        let altair = Altair::new();
        let (before, after) = (tree(old, None), tree(old + more, None));
        let claims = [altair.claim(KINDS[0], before.head()), altair.claim(KINDS[2], after.head())];
        prop_assert_eq!(accuse(claims, extension(&after, old)), Err(EquivocationError::PeerNoContradiction));
    }

    #[test]
    fn a_fork_beyond_the_earlier_size_is_none(old in 1u64..100, more in 1u64..100) {
        let altair = Altair::new();
        let (before, after) = (tree(old, None), tree(old + more, Some(old)));
        let claims = [altair.claim(KINDS[0], before.head()), altair.claim(KINDS[0], after.head())];
        prop_assert_eq!(accuse(claims, extension(&after, old)), Err(EquivocationError::PeerNoContradiction));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(proof) = Equivocation::from_bytes(&bytes) {
            prop_assert_eq!(proof.to_bytes(), bytes);
        }
    }
}
