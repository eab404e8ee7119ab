//! The floor: what one message costs at least on this machine, with nothing of ours in it.
//!
//! A message and its acknowledgement become durable at two nodes each: four syncs in a row. They
//! cross between two processes and back. The release was signed before; what is signed and checked
//! on the way is a line, a receipt and an acknowledgement: three times a signature and its check.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use detente_crypto::{Ed25519Signer, SUITE_1};
use serde_json::{Value, json};

use super::stats::{Times, tenth};
use crate::answer::Failure;

/// What one sync carries.
const BLOCK_BYTES: usize = 4096;
/// What one echo carries.
const ECHO_BYTES: usize = 400;
/// Syncs in a row before an acknowledgement is known.
const SYNCS: f64 = 4.0;
/// Signatures made and checked in a row.
const SIGNATURES: f64 = 3.0;

/// Measures the terms of the floor, one sample of each at a time.
pub(super) struct Floor {
    file: File,
    echo: TcpStream,
    signer: Ed25519Signer,
    append: Times,
    rtt: Times,
    sign: Times,
}

impl Floor {
    /// `folder` is on the disk that is measured; `echo` is served by [`serve_echo`] in another process.
    pub(super) fn new(folder: &Path, echo: SocketAddr) -> Result<Self, Failure> {
        let file = File::create(folder.join("floor")).map_err(Failure::new)?;
        let echo = TcpStream::connect(echo).map_err(Failure::new)?;
        echo.set_nodelay(true).map_err(Failure::new)?;
        let signer = SUITE_1.ed25519_signer(&[7; 32]);
        let (append, rtt, sign) = Default::default();
        Ok(Self { file, echo, signer, append, rtt, sign })
    }

    /// One sample of every term.
    pub(super) fn sample(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        self.file
            .write_all(&[0xa5; BLOCK_BYTES])
            .and_then(|()| self.file.sync_all())
            .map_err(Failure::new)?;
        self.append.add(begun.elapsed());

        let mut bytes = [0x5a; ECHO_BYTES];
        let begun = Instant::now();
        self.echo.write_all(&bytes).and_then(|()| self.echo.read_exact(&mut bytes)).map_err(Failure::new)?;
        self.rtt.add(begun.elapsed());

        let begun = Instant::now();
        let signature = self.signer.sign(&bytes);
        if !SUITE_1.ed25519_verify(self.signer.public(), &bytes, &signature) {
            return Err(Failure::new("a signature just made does not verify"));
        }
        self.sign.add(begun.elapsed());
        Ok(())
    }

    /// The floor of one message in microseconds; 0 before the first sample.
    pub(super) fn latency_us(&mut self) -> f64 {
        let [append, rtt, sign] =
            [&mut self.append, &mut self.rtt, &mut self.sign].map(|times| times.median().unwrap_or(0.0));
        SYNCS * append + rtt + SIGNATURES * sign
    }

    /// Every term, as medians.
    pub(super) fn json(&mut self) -> Value {
        json!({
            "append_fsync_us": self.append.median().map(tenth),
            "rtt_us": self.rtt.median().map(tenth),
            "sign_verify_us": self.sign.median().map(tenth),
            "latency_us": tenth(self.latency_us()),
            "samples": self.append.count(),
        })
    }
}

/// Answers every connection with what it sends, until the process ends. Answers the address.
pub(super) fn serve_echo() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Failure::new)?;
    let address = listener.local_addr().map_err(Failure::new)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || echo(stream));
        }
    });
    Ok(address)
}

fn echo(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true); // Only slower without.
    let mut bytes = [0; ECHO_BYTES];
    while stream.read_exact(&mut bytes).and_then(|()| stream.write_all(&bytes)).is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_sum_of_its_terms() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut floor = Floor::new(folder.path(), serve_echo().expect("loopback")).expect("a floor");
        assert_eq!(floor.latency_us(), 0.0);
        for _ in 0..5 {
            floor.sample().expect("a sample");
        }
        let terms = floor.json();
        let term = |name: &str| terms[name].as_f64().expect("a number");
        let sum = 4.0 * term("append_fsync_us") + term("rtt_us") + 3.0 * term("sign_verify_us");
        assert!((sum - term("latency_us")).abs() < 1.0, "{terms}");
        assert_eq!(std::fs::metadata(folder.path().join("floor")).expect("a file").len(), 5 * 4096);
    }
}
