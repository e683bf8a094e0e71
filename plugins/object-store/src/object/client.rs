//! From options to a store that can be talked to.

mod azure;
mod gcs;
mod s3;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::{BackoffConfig, Certificate, ClientOptions, Error, RetryConfig};
use twinset_plugin_api::{DeviceError, Outcome};

use super::bucket::{Bucket, Cloud, Limits};
use super::credentials::{FromFile, Shown};
use super::errors::failed;
use super::options::{Options, Provider};
use super::pace::Pace;
use super::wire::{Signer, Wire};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a request is tried again, and for how long at most: less than the usual deadline of
/// a device, so that the store's own words are told and not the deadline's.
pub(crate) const RETRIES: usize = 8;
pub(crate) const RETRYING: Duration = Duration::from_secs(40);
/// Pause before the second try; doubles, with jitter.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Connections that are kept while nothing is sent.
const IDLE: usize = 16;

/// 10,000 parts; 5 TiB.
const LIMITS: Limits = Limits {
    parts: 10_000,
    object: 5 << 40,
};

/// Makes the client. Nothing is sent yet.
///
/// # Errors
/// [`Outcome::BAD_OPTION`] names the key.
pub(crate) fn connect(options: &Options) -> Result<Bucket, DeviceError> {
    let client = client_options(options)?;
    let http = http(options, &client)?;
    let made = match &options.provider {
        Provider::S3 { region, path_style } => {
            s3::make(options, (client, &http), region, *path_style)?
        }
        Provider::Azure { account } => azure::make(options, (client, &http), account)?,
        Provider::Gcs => gcs::make(options, client)?,
    };
    Ok(bucket(options, http, made))
}

/// What clients differ in.
type Way = (Option<PathBuf>, Option<String>, Duration, bool);

/// The clients of this process by their way. Devices share them: each one more holds the system's
/// authorities and connections of its own.
static CLIENTS: Mutex<Vec<(Way, HttpClient)>> = Mutex::new(Vec::new());

fn http(options: &Options, client: &ClientOptions) -> Result<HttpClient, DeviceError> {
    let way = (
        options.ca_file.clone(),
        options.proxy.clone(),
        options.timeout,
        options.allow_http,
    );
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = clients.iter().find(|(known, _)| *known == way) {
        return Ok(known.clone());
    }
    let made = ReqwestConnector::default().connect(client);
    let made = made.map_err(|error| unusable(&error))?;
    clients.push((way, made.clone()));
    Ok(made)
}

/// Gives the client that there is, where nobody asks for tokens, who must be reached in another way.
#[derive(Debug)]
struct Shared(HttpClient);

impl HttpConnector for Shared {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

/// What the providers differ in.
struct Made {
    cloud: Arc<dyn Cloud>,
    signer: Signer,
    /// URL of the bucket.
    place: String,
    lists_uploads: bool,
    limits: Limits,
}

fn bucket(options: &Options, http: HttpClient, made: Made) -> Bucket {
    let pace = options.rate.map(|rate| Pace::of(&made.place, rate));
    Bucket {
        cloud: made.cloud,
        wire: Some(Arc::new(Wire {
            http,
            place: made.place,
            signer: made.signer,
        })),
        lists_uploads: made.lists_uploads,
        lock: options.lock,
        pace,
        parallel: options.parallel,
        prefix: options.prefix.clone(),
        shown: options.path.clone(),
        limits: made.limits,
    }
}

fn refuse(key: &str, text: impl std::fmt::Display) -> DeviceError {
    DeviceError::new(Outcome::BAD_OPTION, format!("{key}: {text}"))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: PAUSE,
            max_backoff: LONGEST_PAUSE,
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRYING,
    }
}

fn client_options(options: &Options) -> Result<ClientOptions, DeviceError> {
    let mut client = ClientOptions::new()
        .with_allow_http(options.allow_http)
        .with_connect_timeout(CONNECT)
        .with_timeout(options.timeout)
        .with_pool_max_idle_per_host(IDLE);
    if let Some(file) = &options.ca_file {
        let text = fs::read(file)
            .map_err(|error| refuse("ca_file", format!("{}: {error}", file.display())))?;
        let found = Certificate::from_pem_bundle(&text);
        let found = found.map_err(|_| refuse("ca_file", "holds no certificates in PEM form"))?;
        if found.is_empty() {
            return Err(refuse("ca_file", "holds no certificates in PEM form"));
        }
        client = client.with_no_system_certificates(true);
        for certificate in found {
            client = client.with_root_certificate(certificate);
        }
    }
    if let Some(proxy) = &options.proxy {
        client = client
            .with_proxy_url(proxy.clone())
            .with_proxy_excludes(never_by_proxy());
    }
    Ok(client)
}

/// Where the clouds tell machines and containers who they are. A proxy would answer for itself.
const MACHINE: &[&str] = &[
    "169.254.169.254",
    "fd00:ec2::254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
];
/// Variables that lead elsewhere for that.
const ELSEWHERE: &[&str] = &[
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
];

fn never_by_proxy() -> String {
    let known = MACHINE.iter().map(|host| (*host).to_owned());
    let named = ELSEWHERE.iter().filter_map(|name| env::var(name).ok());
    let hosts = named.filter_map(|url| {
        let url: reqwest::Url = url.parse().ok()?;
        url.host_str()
            .map(|host| host.trim_matches(['[', ']']).to_owned())
    });
    known.chain(hosts).collect::<Vec<_>>().join(",")
}

/// A client that cannot be made: nothing was sent, so it is the options.
fn unusable(error: &Error) -> DeviceError {
    let mut told = failed("make a client for", "the store", error);
    told.outcome = Outcome::BAD_OPTION;
    told.text = format!("options: {}", told.text);
    told
}

/// Credentials of a file that can be read now, and is read again when it changes.
fn from_file<T: Shown>(file: &Path, profile: &str) -> Result<Arc<FromFile<T>>, DeviceError> {
    let provider = FromFile::new(file, profile);
    let read = provider.read();
    read.map_err(|text| refuse("credentials_file", text))?;
    Ok(Arc::new(provider))
}
