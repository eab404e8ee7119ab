//! Paths between nodes: TLS over TCP and QUIC with pinned raw keys.
