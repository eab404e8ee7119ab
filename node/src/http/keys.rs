//! `Idempotency-Key`: which statement a program sent under which of its keys.
//!
//! A statement is entered once however often it comes, so a repeated request needs no memory here.
//! What this adds is a refusal of *another* statement under a used key, which is a program's mistake.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use detente_crypto::{Hash, sha256};

use crate::Refusal;

/// Keys remembered; the oldest is forgotten first.
const KEYS_MAX: usize = 65_536;

/// Keys and the hashes of their statements.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    statements: BTreeMap<String, Hash>,
    order: VecDeque<String>,
}

impl Keys {
    /// Remembers the statement of a key.
    ///
    /// # Errors
    /// A [`Refusal`] when the key was used for another one.
    pub(super) fn check(&self, key: &str, document: &[u8]) -> Result<(), Refusal> {
        let hash = sha256(&[document]);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.statements.get(key) {
            Some(before) if *before == hash => return Ok(()),
            Some(_) => {
                return Err(Refusal::refused(
                    "Idempotency-Key: it was used for another statement; take a new key for a new statement",
                ));
            }
            None => {}
        }
        if known.order.len() >= KEYS_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.statements.remove(&oldest);
        }
        known.order.push_back(key.to_owned());
        known.statements.insert(key.to_owned(), hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_one_statement_and_may_repeat_it() {
        let keys = Keys::default();
        assert!(keys.check("a", b"one").is_ok());
        assert!(keys.check("a", b"one").is_ok());
        assert!(keys.check("a", b"two").is_err());
        assert!(keys.check("b", b"two").is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let keys = Keys::default();
        for number in 0..=KEYS_MAX {
            keys.check(&number.to_string(), b"one").expect("new keys");
        }
        assert!(keys.check("0", b"two").is_ok(), "the oldest was forgotten");
        assert!(keys.check("5", b"two").is_err());
    }
}
