//! The most of everything, each with its reason. Source: `spec/README.md`, "Limits".
//!
//! Whatever comes from outside meets one of these before it can cost memory or time. They belong
//! to the format version: changing one changes which bytes are valid.

use detente_encoding::cbor;

/// Leaf data in bytes, salt and entry: its length stands in two bytes.
pub const LEAF_DATA_MAX: usize = 65_535;
/// The salt before an entry in leaf data, in bytes: as much as a guess must cost.
pub const SALT_BYTES: usize = 16;
/// An entry in bytes: what the salt leaves of [`LEAF_DATA_MAX`].
pub const ENTRY_MAX: usize = LEAF_DATA_MAX - SALT_BYTES;
/// An entry of the emergency lane in bytes: two minutes at 75 bit/s, so that none blocks a Flash.
pub const EMERGENCY_ENTRY_MAX: usize = 1_024;
/// A frame in bytes as handed to a path: the longest leaf, its lines, header, tag and padding.
pub const FRAME_MAX: usize = 66_200;
/// Entries in one frame: a burst shares one signature, and a lost frame costs little.
pub const FRAME_ENTRIES_MAX: usize = 64;
/// Arrays and maps within each other: no shape here needs more, and a stack must not overflow.
pub const NESTING_MAX: usize = cbor::DEPTH_MAX;
/// Fewest parties of a channel.
pub const PARTIES_MIN: usize = 2;
/// Most parties of a channel: a party index fits four bits, and a meeting still fits a table.
pub const PARTIES_MAX: usize = 16;
/// Logs listed in one `seen`: three lanes of sixteen parties; the rest follow in the next entry.
pub const SEEN_LOGS_MAX: usize = 48;
/// References of one statement: a person can still follow them all.
pub const REFERENCES_MAX: usize = 16;
/// Attachments of one statement.
pub const ATTACHMENTS_MAX: usize = 16;
/// Signatures of one release proof.
pub const PROOF_SIGNATURES_MAX: usize = 16;
/// Release keys of one roster: a large watch floor with every key ever held by it in a year.
pub const ROSTER_KEYS_MAX: usize = 256;
/// A blob in bytes: an attachment that a slow path can still carry in days.
pub const BLOB_MAX: usize = 4 << 20;
/// Entries of one log: beyond what one run can write, and far below where sums could overflow.
pub const LOG_SIZE_MAX: u64 = 1 << 40;
/// Live epochs of a sender: a reader absent for days still opens what waits for him.
pub const LIVE_EPOCHS_MAX: usize = 4;
/// Wraps kept for a reader.
pub const WRAPS_MAX: usize = 4;
/// Frames held beyond a gap: a lost frame is asked for again long before.
pub const GAP_FRAMES_MAX: usize = 64;
/// Generations a day, party and lane that are taken at once: a node that restarts every 45 minutes.
pub const GENERATIONS_PER_DAY: usize = 32;
/// Lines of one signed note: one party's two and two of each of seven others.
pub const NOTE_LINES_MAX: usize = 16;
/// Logs a generation entry may name: more than two days of restarts at [`GENERATIONS_PER_DAY`].
pub const NAMED_LOGS_MAX: usize = 64;
/// Validity of a statement in minutes, at most a day: what nobody entered by then is drafted anew.
pub const VALID_MINUTES_MAX: u16 = 1_440;
/// Distance between drafting and writing in milliseconds: 34 years, so a wrong clock can be said.
pub const DELAY_MAX: i64 = 1 << 40;
/// A moment in milliseconds to either side of 1970: exact in every language's numbers.
pub const MOMENT_MAX: i64 = 1 << 53;
/// Name of a party in one language, in characters: one line of a list.
pub const NAME_CHARS_MAX: usize = 80;
/// Endpoints of a credential.
pub const ENDPOINTS_MAX: usize = 8;
/// Subjects of a charter.
pub const SUBJECTS_MAX: usize = 32;
/// Origins of a passkey.
pub const ORIGINS_MAX: usize = 8;

const _: () = assert!(EMERGENCY_ENTRY_MAX < ENTRY_MAX && LEAF_DATA_MAX < FRAME_MAX);
const _: () = assert!(SEEN_LOGS_MAX == PARTIES_MAX * 3);
const _: () = assert!(NESTING_MAX == 12);
