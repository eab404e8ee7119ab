//! Parties with real keys: root, node keys of each credential edition, officers with file keys and
//! passkeys of both algorithms.

use std::collections::BTreeMap;

use detente_crypto::assertion::{
    Flags, Passkey, ReleaseAlgorithm, ReleaseKey, ReleaseKeyKind, ReleasePublic, ReleaseSignature,
    file_key_message,
};
use detente_crypto::root::RootSecret;
use detente_crypto::{Ed25519Signer, Hash, MlDsaSigner, SUITE_1, Secret, sha256};
use detente_encoding::Timestamp;
use detente_protocol::credential::{CredentialText, NodeKeys, party_of};
use detente_protocol::names::PartyId;
use detente_protocol::roster::{Roles, Roster, RosterKey};
use p256::ecdsa::SigningKey;

/// The first moment of every world.
pub(crate) const START: i64 = 1_800_000_000_000;

enum Private {
    Ed25519(Ed25519Signer),
    Es256(Box<SigningKey>),
}

/// A person with one release key.
pub(crate) struct Officer {
    private: Private,
    kind: ReleaseKeyKind,
}

impl Officer {
    fn new(seed: [u8; 32], place: usize) -> Self {
        let passkey = ReleaseKeyKind::Passkey(Passkey {
            rp_id: "watch.example.org".into(),
            origins: vec!["https://watch.example.org".into(), "https://two.example.org".into()],
            backup_eligible_allowed: place.is_multiple_of(2),
        });
        let es256 = || {
            Private::Es256(Box::new(
                SigningKey::from_slice(&seed).expect("the seed is below the group order"),
            ))
        };
        let ed25519 = || Private::Ed25519(SUITE_1.ed25519_signer(&seed));
        // Two file keys that release, then one key of each other kind.
        let (private, kind) = match place {
            0 | 1 => (ed25519(), ReleaseKeyKind::File),
            2 => (es256(), ReleaseKeyKind::File),
            3 => (ed25519(), passkey),
            _ => (es256(), passkey),
        };
        Self { private, kind }
    }

    fn public(&self) -> ReleasePublic {
        let (algorithm, bytes) = match &self.private {
            Private::Ed25519(signer) => (ReleaseAlgorithm::Ed25519, signer.public().to_vec()),
            Private::Es256(signer) => {
                let point = signer.verifying_key().to_sec1_point(true);
                (ReleaseAlgorithm::Es256, point.as_bytes().to_vec())
            }
        };
        ReleasePublic::from_slice(algorithm, &bytes).expect("a key just made has the length of its kind")
    }

    fn raw(&self, message: &[u8]) -> [u8; 64] {
        match &self.private {
            Private::Ed25519(signer) => signer.sign(message),
            Private::Es256(signer) => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::sign(&**signer, message);
                signature.normalize_s().to_bytes().into()
            }
        }
    }

    /// Signs a statement's hash as this kind of key does. `flags` are a passkey's.
    pub(crate) fn sign(&self, hash: &Hash, flags: u8, full: bool) -> ReleaseSignature {
        let ReleaseKeyKind::Passkey(passkey) = &self.kind else {
            return ReleaseSignature::File { signature: self.raw(&file_key_message(hash)) };
        };
        let origin = &passkey.origins[usize::from(full)];
        let challenge = base64url(&hash.0);
        let more = if full { ",\"more\":[1,{\"deep\":null}]" } else { "" };
        let client = format!(
            "{{\"type\":\"webauthn.get\",\"challenge\":\"{challenge}\",\"origin\":\"{origin}\",\"crossOrigin\":false{more}}}"
        );
        let mut data = sha256(&[passkey.rp_id.as_bytes()]).0.to_vec();
        data.push(flags);
        data.extend_from_slice(&7u32.to_be_bytes());
        let signature = self.raw(&[&data[..], &sha256(&[client.as_bytes()]).0].concat());
        if full {
            let client_data = client.into_bytes();
            return ReleaseSignature::Full { authenticator_data: data, client_data, signature };
        }
        ReleaseSignature::Compact { flags: Flags(flags), counter: 7, origin_index: 0, signature }
    }
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for piece in bytes.chunks(3) {
        let at = |place: usize| u32::from(piece.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..=piece.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

/// The keys of a node under one credential edition.
pub(crate) struct NodeSigners {
    pub(crate) log: Ed25519Signer,
    pub(crate) log_mldsa: MlDsaSigner,
    pub(crate) cosigner: Ed25519Signer,
    pub(crate) cosigner_mldsa: MlDsaSigner,
}

/// A party with all its private keys.
pub(crate) struct Member {
    pub(crate) id: PartyId,
    pub(crate) root: RootSecret,
    pub(crate) officers: Vec<Officer>,
    /// One for each credential edition, oldest first; as are the texts.
    pub(crate) nodes: Vec<NodeSigners>,
    pub(crate) texts: Vec<CredentialText>,
    /// The newest roster.
    pub(crate) roster: Roster,
    seed: u8,
}

impl Member {
    /// A party and the bytes of its first credential.
    pub(crate) fn new(code: &str, seed: u8) -> (Self, Vec<u8>) {
        let root = RootSecret {
            ed25519: Secret::from_slice(&secret(seed, 0)).expect("32 bytes"),
            mldsa: Secret::from_slice(&secret(seed, 1)).expect("32 bytes"),
        };
        let id = party_of(&root.public(SUITE_1));
        let officers: Vec<Officer> =
            (0..5).map(|place| Officer::new(secret(seed, 16 + place as u8), place)).collect();
        let keys = officers.iter().enumerate().map(|(place, officer)| RosterKey {
            key: ReleaseKey {
                number: place as u16 + 1,
                public: officer.public(),
                kind: officer.kind.clone(),
            },
            person: place as u16 + 1,
            roles: Roles::RELEASE.and(Roles::DRAFT).and(Roles::WATCH),
        });
        let roster = Roster { asks: 2, keys: keys.collect(), number: 0, party: id, previous: None };
        let mut member = Self { id, root, officers, nodes: Vec::new(), texts: Vec::new(), roster, seed };
        let bytes = member.next_credential(code);
        (member, bytes)
    }

    /// Makes the next credential edition, with node keys of its own; answers its bytes.
    pub(crate) fn next_credential(&mut self, code: &str) -> Vec<u8> {
        let edition = self.texts.len() as u32 + 1;
        let from = 32 * edition as u8;
        let node = NodeSigners {
            log: SUITE_1.ed25519_signer(&secret(self.seed, from)),
            log_mldsa: SUITE_1.mldsa_signer(&secret(self.seed, from + 1)),
            cosigner: SUITE_1.ed25519_signer(&secret(self.seed, from + 2)),
            cosigner_mldsa: SUITE_1.mldsa_signer(&secret(self.seed, from + 3)),
        };
        let roster = Roster { number: 0, previous: None, ..self.roster.clone() };
        let text = CredentialText {
            code: code.to_owned(),
            edition,
            endpoints: vec!["line.example.org:19630".into()],
            issued: Timestamp::from_millis(START),
            kem: Box::new([self.seed; 1216]),
            names: BTreeMap::from([("en".to_owned(), code.to_owned())]),
            node: NodeKeys {
                log_ed25519: *node.log.public(),
                log_mldsa: Box::new(*node.log_mldsa.public()),
                cosigner_ed25519: *node.cosigner.public(),
                cosigner_mldsa: Box::new(*node.cosigner_mldsa.public()),
                link: *SUITE_1.ed25519_signer(&secret(self.seed, from + 4)).public(),
            },
            previous: self.texts.last().map(|text| sha256(&[&text.encode()])),
            recognised: vec![],
            root: self.root.public(SUITE_1),
            roster: roster.encode(),
        };
        let bytes = text.sign(&self.root, SUITE_1).encode();
        self.roster = roster;
        self.nodes.push(node);
        self.texts.push(text);
        bytes
    }

    pub(crate) fn newest(&self) -> &CredentialText {
        self.texts.last().expect("a member has an edition from the beginning")
    }
}

fn secret(seed: u8, number: u8) -> [u8; 32] {
    sha256(&[b"forgery", &[seed, number]]).0
}
