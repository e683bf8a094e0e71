//! The server's certificate and its two TLS settings: wrapped (TDS 7.x) and strict (TDS 8).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Protocol name of strict connections.
pub const STRICT_ALPN: &[u8] = b"tds/8.0";

/// A server certificate under its own authority, as both TLS settings.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// TLS 1.2 only: tickets of 1.3 would arrive after the wrapping ends.
    pub wrapped: Arc<ServerConfig>,
    /// TLS 1.2 and 1.3 with the strict protocol name.
    pub strict: Arc<ServerConfig>,
    /// The authority's certificate, for clients to trust.
    pub ca_pem: String,
}

impl ServerTls {
    /// Makes a new authority and a certificate for `names` (host names and addresses).
    pub fn generate(names: &[String]) -> io::Result<Self> {
        let mut ca = CertificateParams::new(Vec::<String>::new()).map_err(io::Error::other)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name
            .push(rcgen::DnType::CommonName, "Twinset lab authority");
        let ca_key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(ca, ca_key).map_err(io::Error::other)?;

        let mut params = CertificateParams::new(names.to_vec()).map_err(io::Error::other)?;
        let common = names.first().map_or("localhost", String::as_str);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common);
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let cert = params.signed_by(&key, &issuer).map_err(io::Error::other)?;

        let chain = vec![cert.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut strict = config(
            &[&rustls::version::TLS12, &rustls::version::TLS13],
            &chain,
            &key,
        )?;
        strict.alpn_protocols = vec![STRICT_ALPN.to_vec()];
        let wrapped = config(&[&rustls::version::TLS12], &chain, &key)?;
        Ok(Self {
            wrapped: Arc::new(wrapped),
            strict: Arc::new(strict),
            ca_pem: issuer.pem(),
        })
    }

    /// Writes the authority's certificate.
    pub fn write_ca(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, &self.ca_pem)
    }
}

fn config(
    versions: &[&'static rustls::SupportedProtocolVersion],
    chain: &[CertificateDer<'static>],
    key: &PrivatePkcs8KeyDer<'static>,
) -> io::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain.to_vec(), PrivateKeyDer::Pkcs8(key.clone_key()))
        .map_err(io::Error::other)
}
