//! Deterministic CBOR, names, words and time: the bytes that are hashed and signed.
