//! The bytes on a link: a hello, then frames with a word of length in front.
//!
//! ```text
//! hello   "detente" 0x01 │ 8 bytes of this run of the sender │ 4 bytes: links up before, in this run
//! frame   4 bytes: bit 31 emergency, bits 0–30 length │ that many bytes
//! ```
//! All numbers are big-endian. Length 0 is a sign of life. A length above [`FRAME_BYTES_MAX`] ends
//! the link before a byte is set aside for it.

use bytes::{Buf, BufMut, BytesMut};

use crate::path::{FRAME_BYTES_MAX, Urgency};

/// Bytes of the word before each frame.
pub(crate) const PREFIX_BYTES: usize = 4;

/// Bytes of a hello.
pub(crate) const HELLO_BYTES: usize = 20;

const EMERGENCY: u32 = 1 << 31;
const MAGIC: [u8; 8] = *b"detente\x01";

const _: () = assert!(FRAME_BYTES_MAX < EMERGENCY as usize, "a length never reaches the bit of urgency");

/// The first bytes on a link, each way. The dialler speaks first; the answer is what makes a link up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// Eight random bytes of the sender's process: tells a restarted peer from the same one.
    pub(crate) run: [u8; 8],
    /// How many links of this kind to the receiver the sender has had up in this run, when it
    /// began to dial or to answer.
    pub(crate) ups: u32,
}

impl Hello {
    pub(crate) fn encode(&self) -> [u8; HELLO_BYTES] {
        let mut bytes = [0; HELLO_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.run);
        bytes[16..].copy_from_slice(&self.ups.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; HELLO_BYTES]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC.as_slice())?;
        let mut run = [0; 8];
        rest.copy_to_slice(&mut run);
        Some(Self { run, ups: rest.get_u32() })
    }
}

/// Appends a frame with its word of length.
pub(crate) fn put_frame(buffer: &mut BytesMut, urgency: Urgency, frame: &[u8]) {
    let length =
        u32::try_from(frame.len()).expect("frames are checked against FRAME_BYTES_MAX before they queue");
    let emergency = if urgency == Urgency::Emergency { EMERGENCY } else { 0 };
    buffer.put_u32(length | emergency);
    buffer.put_slice(frame);
}

/// Appends a sign of life.
pub(crate) fn put_sign_of_life(buffer: &mut BytesMut) {
    buffer.put_u32(0);
}

/// A length above [`FRAME_BYTES_MAX`] was announced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Takes the next whole frame off the front of `buffer`, passing over signs of life. `None`: more
/// bytes are needed. The frame is a copy of its own size, so that it does not hold the buffer.
pub(crate) fn take_frame(buffer: &mut BytesMut) -> Result<Option<(Urgency, Vec<u8>)>, TooLong> {
    loop {
        let Some(word) = buffer.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let word = u32::from_be_bytes(*word);
        let length = (word & !EMERGENCY) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(TooLong);
        }
        if buffer.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        buffer.advance(PREFIX_BYTES);
        if length == 0 {
            continue;
        }
        let frame = buffer[..length].to_vec();
        buffer.advance(length);
        let urgency = if word & EMERGENCY == 0 { Urgency::Ordinary } else { Urgency::Emergency };
        return Ok(Some((urgency, frame)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_survives_and_another_magic_does_not() {
        let hello = Hello { run: *b"12345678", ups: 7 };
        let mut bytes = hello.encode();
        assert_eq!(Hello::decode(&bytes), Some(hello));
        bytes[7] = 2;
        assert_eq!(Hello::decode(&bytes), None);
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut whole = BytesMut::new();
        put_frame(&mut whole, Urgency::Ordinary, b"a");
        put_sign_of_life(&mut whole);
        put_frame(&mut whole, Urgency::Emergency, &[9; FRAME_BYTES_MAX]);
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        for piece in whole.chunks(1021) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = take_frame(&mut buffer).unwrap() {
                frames.push(frame);
            }
        }
        assert_eq!(
            frames,
            [(Urgency::Ordinary, b"a".to_vec()), (Urgency::Emergency, vec![9; FRAME_BYTES_MAX])]
        );
        assert!(buffer.is_empty());
    }

    #[test]
    fn a_length_too_great_is_refused_before_its_bytes_come() {
        for word in [FRAME_BYTES_MAX as u32 + 1, u32::MAX, EMERGENCY - 1] {
            let mut buffer = BytesMut::from(word.to_be_bytes().as_slice());
            let before = buffer.capacity();
            assert_eq!(take_frame(&mut buffer), Err(TooLong));
            assert_eq!(buffer.capacity(), before);
        }
    }
}
