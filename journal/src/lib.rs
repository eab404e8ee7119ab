//! The durable record behind one trait: engines, group commit, faults.
