//! One TLS 1.3 configuration for both kinds of link.
//!
//! Raw public keys on both sides (RFC 7250), pinned: a dialler accepts the one key it dials, a
//! listener the keys in its list of peers. X25519MLKEM768 is the only key exchange group offered
//! or accepted, so there is nothing to downgrade to. No resumption, no tickets, no 0-RTT: each
//! link proves both keys anew.

use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

use crate::key::{LinkKey, LinkSecret};

/// The protocol both sides name in the handshake (RFC 7301).
pub const ALPN: &[u8] = b"detente/1";

/// The number of the one key exchange group, X25519MLKEM768, in the IANA registry of TLS groups.
pub const X25519MLKEM768: u16 = 0x11ec;

/// Largest TLS record, header included. A record is only readable when it is whole, so it has to
/// pass a slow line well within [`SILENCE_MAX`](crate::SILENCE_MAX): 4 KiB take 3.4 s at 9,600 bit/s.
const RECORD_BYTES_MAX: usize = 4096;

/// Decides which link keys may open a link to this node.
pub(crate) trait AllowList: Send + Sync + std::fmt::Debug {
    /// Whether `key` is that of a peer; counts the refusal where it is not.
    fn allows(&self, key: &LinkKey) -> bool;
}

/// The only algorithms a link may use.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768],
        ..default_provider()
    }
}

/// The configuration of the listening side.
pub(crate) fn server_config(secret: &LinkSecret, peers: Arc<dyn AllowList>) -> Arc<ServerConfig> {
    let provider = Arc::new(provider());
    let verifier = ClientVerifier { checks: Checks(provider.clone()), peers };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has suites of TLS 1.3")
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(NamedKey {
            name: secret.public().server_name(),
            key: secret.certified(),
        }));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_fragment_size = Some(RECORD_BYTES_MAX);
    Arc::new(config)
}

/// The configuration for dialling the one peer that holds `peer`.
pub(crate) fn client_config(secret: &LinkSecret, peer: LinkKey) -> Arc<ClientConfig> {
    client_config_with(provider(), secret, peer)
}

pub(crate) fn client_config_with(
    provider: CryptoProvider,
    secret: &LinkSecret,
    peer: LinkKey,
) -> Arc<ClientConfig> {
    let provider = Arc::new(provider);
    let verifier = ServerVerifier { checks: Checks(provider.clone()), peer };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has suites of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(rustls::client::AlwaysResolvesClientRawPublicKeys::new(
            secret.certified(),
        )));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.max_fragment_size = Some(RECORD_BYTES_MAX);
    Arc::new(config)
}

/// The same configuration for QUIC, which protects its first packets with a suite of its own
/// (RFC 9001, section 5.2) that no link then uses.
pub(crate) fn quic_server_config(config: Arc<ServerConfig>) -> QuicServerConfig {
    QuicServerConfig::with_initial(config, initial_suite()).expect("this is the suite RFC 9001 asks for")
}

/// See [`quic_server_config`].
pub(crate) fn quic_client_config(config: Arc<ClientConfig>) -> QuicClientConfig {
    QuicClientConfig::with_initial(config, initial_suite()).expect("this is the suite RFC 9001 asks for")
}

fn initial_suite() -> rustls::quic::Suite {
    cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .and_then(rustls::Tls13CipherSuite::quic_suite)
        .expect("the suite is one of TLS 1.3 and has its QUIC half")
}

/// Answers only who asks for the name of this node's key.
#[derive(Debug)]
struct NamedKey {
    name: String,
    key: Arc<CertifiedKey>,
}

impl ResolvesServerCert for NamedKey {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (hello.server_name() == Some(self.name.as_str())).then(|| self.key.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

/// What both verifiers do alike: Ed25519 over the transcript, by the raw key presented.
#[derive(Debug)]
struct Checks(Arc<CryptoProvider>);

impl Checks {
    fn signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signed.scheme != SignatureScheme::ED25519 {
            return Err(Error::InvalidCertificate(CertificateError::BadSignature));
        }
        let key = SubjectPublicKeyInfoDer::from(key.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.0.signature_verification_algorithms)
    }
}

/// The one key a bundle of certificate bytes holds, if it is a bare link key.
fn bare_key(end: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Result<LinkKey, Error> {
    match LinkKey::from_spki(end) {
        Some(key) if intermediates.is_empty() => Ok(key),
        _ => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
    }
}

fn tls12_is_never_spoken() -> Error {
    Error::General("only TLS 1.3 is spoken".into())
}

#[derive(Debug)]
struct ServerVerifier {
    checks: Checks,
    peer: LinkKey,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if bare_key(end, intermediates)? == self.peer {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _key: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_is_never_spoken())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checks.signature(message, key, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct ClientVerifier {
    checks: Checks,
    peers: Arc<dyn AllowList>,
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.peers.allows(&bare_key(end, intermediates)?) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _key: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12_is_never_spoken())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.checks.signature(message, key, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
