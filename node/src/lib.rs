//! Joins clock, randomness, disk, sockets and the pure crates; HTTP interface, officers, release.
