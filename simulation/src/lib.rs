//! Many nodes in one thread: virtual time, network and disks; checkers; seeds.
//!
//! The production code of a channel runs here unchanged under a clock, a network and disks that a
//! seed decides: frames are lost, late, repeated, reordered and damaged; links are cut one way;
//! nodes crash at any sync and lose what was not durable; clocks step by years. Checkers watch what
//! must always hold. The same seed is the same world, event by event, and prints the same hash.
//!
//! It is evidence only because it catches planted faults: see [`Plant`].

mod checks;
mod disk;
mod faults;
mod liar;
mod officers;
mod party;
mod random;
mod report;
mod world;

pub use checks::Violation;
pub use detente_protocol::channel::Danger;
pub use party::Plant;
pub use random::Random;
pub use report::{Profile, Report, Weather};
pub use world::simulate;
