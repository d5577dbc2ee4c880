//! Trees, keys and strategies that several tests use.

use ed25519_dalek::{Signer as _, SigningKey};
use strongroom_audit::{AuditError, Hash, KeyKind, Leaves, Tree, VerifierKey, leaf_hash, prove_inclusion};

/// So many different leaves.
pub fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// The root over leaves, by the definition of RFC 6962 section 2.1: the first power of two of them, and the rest.
pub fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => strongroom_audit::empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            strongroom_audit::node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

pub fn tree(leaves: &[Hash]) -> Tree {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree
}

pub fn inclusion(index: u64, leaves: &[Hash]) -> Vec<Hash> {
    prove_inclusion(index, leaves.len() as u64, &Leaves(leaves)).unwrap()
}

/// A key that signs in memory, and its public half.
pub struct Signing {
    pub key: VerifierKey,
    secret: SigningKey,
}

impl Signing {
    pub fn new(name: &str, kind: KeyKind, seed: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        Self { key: VerifierKey::try_new(name, kind, secret.verifying_key().as_bytes()).unwrap(), secret }
    }

    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], AuditError> {
        Ok(self.secret.sign(message).to_bytes())
    }
}
