//! Making a node's folder.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::config::{Config, HTTP_PORT, LISTEN_PORT};
use super::secrets::{make_private_folder, random, write_private};
use super::{Folder, FolderError};

/// Files of the node's keys, in the order of their use.
pub const NODE_KEYS: [&str; 6] =
    ["log.ed25519", "log.mldsa44", "cosigner.ed25519", "cosigner.mldsa44", "link.ed25519", "kem.xwing"];
/// Files of the root key.
pub const ROOT_KEYS: [&str; 2] = ["root.ed25519", "root.mldsa44"];

/// What a new node is made of.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The party's code.
    pub code: String,
    /// Its names by language.
    pub names: BTreeMap<String, String>,
    /// Where links are accepted; loopback with the usual port when not given.
    pub listen: Option<SocketAddr>,
    /// Where HTTP is served; loopback with the usual port when not given.
    pub http: Option<SocketAddr>,
    /// Whether port 0 may be asked for.
    pub test: bool,
}

/// Makes a node's folder with fresh keys.
///
/// # Errors
/// [`FolderError`]; a folder that was not empty is as it was.
pub fn init(path: &Path, options: InitOptions) -> Result<Folder, FolderError> {
    let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let mut listen = options.listen.unwrap_or(loopback(LISTEN_PORT));
    if listen.port() == 0 {
        if !options.test {
            return Err(FolderError::LocalOption(
                "--listen has port 0, which is for tests only; name a port or add --test".to_owned(),
            ));
        }
        listen = free_port(listen)?;
    }
    let config = Config {
        code: options.code,
        listen,
        http: options.http.unwrap_or(loopback(HTTP_PORT)),
        endpoints: Vec::new(),
        file_keys: true,
        test: options.test,
        tls_cert: None,
        tls_key: None,
        origin: None,
        names: options.names,
    };
    config.check().map_err(FolderError::LocalOption)?;
    match std::fs::read_dir(path).map(Iterator::count) {
        Ok(0) => {}
        Ok(_) => return Err(FolderError::LocalNotEmpty(path.to_path_buf())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(FolderError::EnvironmentFile(path.to_path_buf(), error)),
    }
    make_private_folder(path)?;
    let folder = Folder { path: path.to_path_buf(), config };
    for private in [folder.keys(), folder.root(), folder.blobs(), path.join("run")] {
        make_private_folder(&private)?;
    }
    for (place, names) in [(folder.keys(), &NODE_KEYS[..]), (folder.root(), &ROOT_KEYS[..])] {
        for name in names {
            write_private(&place.join(name), &random::<32>()?)?;
        }
    }
    // Last: what makes it a node's folder.
    write_private(&path.join("node.toml"), folder.config.to_toml().as_bytes())?;
    Ok(folder)
}

/// A port free for both TCP and UDP now, so that a test's credential can name it.
fn free_port(address: SocketAddr) -> Result<SocketAddr, FolderError> {
    for _ in 0..16 {
        let tcp = std::net::TcpListener::bind(address);
        let Ok(found) = tcp.and_then(|tcp| tcp.local_addr()) else { continue };
        if std::net::UdpSocket::bind(found).is_ok() {
            return Ok(found);
        }
    }
    Err(FolderError::LocalOption(format!("no free port was found at {}", address.ip())))
}
