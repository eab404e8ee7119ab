//! `node.toml`: what the operator decides. Read strictly: a key we do not know is a mistake.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Port of the links, UDP and TCP.
pub const LISTEN_PORT: u16 = 19_630;
/// Port of the console and HTTP interface.
pub const HTTP_PORT: u16 = 19_631;

/// A node's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The party's code: 2 to 8 of A–Z and 0–9, beginning with a letter.
    pub code: String,
    /// Where links are accepted.
    pub listen: SocketAddr,
    /// Where the HTTP interface is served.
    pub http: SocketAddr,
    /// Addresses at which others reach this node, `host:port`; empty: `listen`, unless it stands for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Whether keys in files may release.
    #[serde(default = "yes")]
    pub file_keys: bool,
    /// Whether this is a node of a test: port 0 is allowed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Certificate chain of the HTTP interface, where it is not served on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<String>,
    /// Its private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<String>,
    /// The origin under which browsers reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The party's names by language.
    pub names: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Config {
    /// Reads the text of `node.toml`.
    ///
    /// # Errors
    /// A sentence that names the line or key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self =
            toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
        config.check()?;
        Ok(config)
    }

    /// The text of `node.toml`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has only text, numbers and tables")
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if !detente_protocol::credential::is_code(&self.code) {
            return Err(format!(
                "code {:?} must be 2 to 8 of A-Z and 0-9, beginning with a letter",
                self.code
            ));
        }
        if self.names.is_empty() {
            return Err("names is empty; give at least one, as in en = \"Altair\"".to_owned());
        }
        if self.names.iter().any(|(language, name)| {
            language.is_empty() || name.is_empty() || name.chars().count() > 80 || language.len() > 16
        }) {
            return Err("each of names has a language and 1 to 80 characters".to_owned());
        }
        if self.listen.port() == 0 && !self.test {
            return Err("listen has port 0, which is for tests only; name a port".to_owned());
        }
        if !self.http.ip().is_loopback()
            && (self.tls_cert.is_none() || self.tls_key.is_none() || self.origin.is_none())
        {
            return Err(
                "http is not a loopback address; then tls_cert, tls_key and origin are needed".to_owned()
            );
        }
        Ok(())
    }

    /// The addresses that the credential names.
    #[must_use]
    pub fn reached_at(&self) -> Vec<String> {
        if !self.endpoints.is_empty() {
            return self.endpoints.clone();
        }
        if self.listen.ip().is_unspecified() || self.listen.port() == 0 {
            return Vec::new();
        }
        vec![self.listen.to_string()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "code = \"ALT\"\nlisten = \"127.0.0.1:19630\"\nhttp = \"127.0.0.1:19631\"\n[names]\nen = \"Altair\"\n";

    #[test]
    fn a_configuration_is_read_as_it_is_written() {
        let config = Config::parse(TEXT).expect("it is whole");
        assert_eq!(Config::parse(&config.to_toml()), Ok(config.clone()));
        assert!(config.file_keys);
    }

    #[test]
    fn an_unknown_key_is_refused_and_named() {
        let error = Config::parse(&format!("pasword = 1\n{TEXT}")).expect_err("unknown");
        assert!(error.contains("pasword"), "{error}");
    }

    #[test]
    fn another_address_than_loopback_needs_a_certificate() {
        let error = Config::parse(&TEXT.replace("127.0.0.1:19631", "0.0.0.0:19631")).expect_err("plain");
        assert!(error.contains("tls_cert"), "{error}");
    }
}
