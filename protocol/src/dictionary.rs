//! Compression of frames with `dictionary/1`, so that a short text in Cyrillic fits a radio frame.
//!
//! The dictionary is raw text of the kind people write in notifications; it is part of the
//! specification and never changes within a version. Zstandard frames are written without their
//! magic number. Only a path sees compressed bytes: leaves, logs and exports never hold any.
//! Source: `spec/sealing.md`, section 4; RFC 8878.

use std::cell::RefCell;

const DICTIONARY: &[u8] = include_bytes!("../../spec/dictionary/1");
/// Bytes a frame's body may have once decompressed: 64 KiB of entries and their salts.
const BODY_BYTES_MAX: usize = 66_200;
/// Shorter bodies are mostly keys and hashes, which do not shrink.
const WORTH_TRYING_BYTES: usize = 160;
/// Longer bodies are batches on fast links, where time counts more than bytes.
const WORTH_TRYING_BYTES_MAX: usize = 4096;
const LEVEL: i32 = 12; // 10 µs a frame; level 19 saves three bytes more and takes four times as long.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

thread_local! {
    // Digesting the dictionary costs milliseconds; each thread does it once.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses `body`. `None` when it is not worth trying or gains nothing.
pub(crate) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    if !(WORTH_TRYING_BYTES..=WORTH_TRYING_BYTES_MAX).contains(&body.len()) {
        return None;
    }
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            let mut compressor = zstd::bulk::Compressor::with_dictionary(LEVEL, DICTIONARY).ok()?;
            compressor.include_checksum(false).ok()?;
            compressor.include_dictid(false).ok()?;
            compressor.include_contentsize(false).ok()?;
            *slot = Some(compressor);
        }
        let compressed = slot.as_mut()?.compress(body).ok()?;
        let stripped = compressed.strip_prefix(&MAGIC)?;
        (stripped.len() + 2 < body.len()).then(|| stripped.to_vec())
    })
}

/// Decompresses what [`compress`] made. `None` for anything else or more than a frame may hold.
pub(crate) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Decompressor::with_dictionary(DICTIONARY).ok();
        }
        slot.as_mut()?.decompress(&[&MAGIC[..], bytes].concat(), BODY_BYTES_MAX).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shrinks_and_comes_back() {
        let text = "Пуск баллистической ракеты состоится в указанном районе. ".repeat(4);
        let compressed = compress(text.as_bytes()).expect("repetition shrinks");
        assert!(compressed.len() < text.len() / 2);
        assert_eq!(decompress(&compressed), Some(text.into_bytes()));
    }

    #[test]
    fn a_bomb_or_junk_gives_nothing() {
        let bomb = zstd::bulk::compress(&vec![0; 10_000_000], 19).expect("compresses");
        assert_eq!(decompress(&bomb[4..]), None);
        assert_eq!(decompress(&[1, 2, 3, 4, 5]), None);
        assert_eq!(decompress(&[]), None);
    }
}
