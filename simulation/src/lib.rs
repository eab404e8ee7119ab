//! Many nodes in one thread: virtual time, network and disks; checkers; seeds.
