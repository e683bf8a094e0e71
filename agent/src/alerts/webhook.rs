//! An address of the web as a receiver: JSON by POST, any 2xx as the answer.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs};

use rustls::crypto::aws_lc_rs;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// Largest file of authorities, in bytes.
const MAX_AUTHORITIES: u64 = 4 << 20;

/// A receiver on the web. Its address may be a secret and is not printed.
pub struct Hook {
    /// The address.
    pub address: String,
    /// What stands behind `Authorization: Bearer`.
    pub token: Option<String>,
    /// Authorities that may sign its certificate, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long it may take.
    pub timeout: Duration,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn tell(&self, body: &str) -> Result<(), String> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(self.timeout))
            // What stands behind a redirection was never agreed to, and would get the token.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false);
        let address: Uri = self.address.parse().map_err(|_| "the address is none")?;
        if is_loopback(address.host().unwrap_or_default()) {
            config = config.proxy(None);
        }
        if address.scheme_str() == Some("https") {
            config = config.tls_config(self.tls()?);
        }
        let agent = config.build().new_agent();
        let mut request = agent
            .post(&self.address)
            .header("Content-Type", "application/json")
            .header("User-Agent", concat!("twinset/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.send(body).map_err(|error| self.clean(&error))?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(format!("the receiver answered {}", answer.status()))
    }

    /// Without the address, which may be a secret.
    fn clean(&self, error: &ureq::Error) -> String {
        error.to_string().replace(&self.address, "the address")
    }

    fn tls(&self) -> Result<TlsConfig, String> {
        let roots = match &self.ca_file {
            Some(path) => authorities(path)?,
            None => {
                let found = rustls_native_certs::load_native_certs();
                let own = |der: &rustls::pki_types::CertificateDer<'_>| {
                    Certificate::from_der(der.as_ref()).to_owned()
                };
                found.certs.iter().map(own).collect()
            }
        };
        if roots.is_empty() {
            return Err("no authority is known that could sign its certificate".to_owned());
        }
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build())
    }
}

/// Whether a host is this one: no proxy can reach it.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn authorities(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if fs::metadata(path).map_err(failed)?.len() > MAX_AUTHORITIES {
        return Err(format!("{} is too large", path.display()));
    }
    let pem = fs::read(path).map_err(failed)?;
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    Ok(parse_pem(&pem).filter_map(certificate).collect())
}
