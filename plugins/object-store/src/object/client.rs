//! From options to a store that can be talked to.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum as S3Checksum};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{HttpConnector, ReqwestConnector};
use object_store::{BackoffConfig, Certificate, ClientOptions, Error, RetryConfig};
use twinset_plugin_api::{DeviceError, Outcome};

use super::bucket::{Bucket, Limits};
use super::credentials::{FromFile, Shown};
use super::errors::failed;
use super::options::{Checksum, Credentials, Options, Provider};
use super::uploads::OpenUploads;

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a request is tried again, and for how long at most: less than the usual deadline of
/// a device, so that the store's own words are told and not the deadline's.
const RETRIES: usize = 8;
const RETRYING: Duration = Duration::from_secs(40);
/// Pause before the second try; doubles, with jitter.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Connections that are kept while nothing is sent.
const IDLE: usize = 8;

/// 10,000 parts; 5 TiB.
const S3: Limits = Limits {
    parts: 10_000,
    object: 5 << 40,
};
/// 50,000 blocks; parts of ours are small against what a block may be.
const AZURE: Limits = Limits {
    parts: 50_000,
    object: 5 << 40,
};

/// Makes the client. Nothing is sent yet.
///
/// # Errors
/// [`Outcome::BAD_OPTION`] names the key.
pub(crate) fn connect(options: &Options) -> Result<Bucket, DeviceError> {
    let client = client_options(options)?;
    match &options.provider {
        Provider::S3 { region, path_style } => s3(options, client, region, *path_style),
        Provider::Azure { account } => azure(options, client, account),
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
        client = client.with_proxy_url(proxy.clone());
    }
    Ok(client)
}

/// A client that cannot be made: nothing was sent, so it is the options.
fn unusable(error: &Error) -> DeviceError {
    let mut told = failed("make a client for", "the store", error);
    told.outcome = Outcome::BAD_OPTION;
    told.text = format!("options: {}", told.text);
    told
}

fn s3(
    options: &Options,
    client: ClientOptions,
    region: &str,
    path_style: bool,
) -> Result<Bucket, DeviceError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&options.bucket)
        .with_region(region)
        .with_virtual_hosted_style_request(!path_style)
        .with_allow_http(options.allow_http)
        .with_retry(retry())
        .with_client_options(client.clone());
    let place = s3_place(options, region, path_style);
    if options.endpoint.is_some() {
        let bucket = format!("/{}", options.bucket);
        let base = if path_style {
            place.trim_end_matches(&bucket)
        } else {
            &place
        };
        builder = builder.with_endpoint(base);
    }
    builder = match options.checksum {
        Checksum::Sha256 => builder.with_checksum_algorithm(S3Checksum::SHA256),
        Checksum::Crc64Nvme => builder.with_checksum_algorithm(S3Checksum::CRC64NVME),
        Checksum::None => builder,
    };
    builder = match &options.credentials {
        Credentials::Instance => builder,
        Credentials::Environment => from_environment(builder),
        Credentials::File { file, profile } => builder.with_credentials(from_file(file, profile)?),
    };
    let store = builder.build().map_err(|error| unusable(&error))?;
    let http = ReqwestConnector::default().connect(&client);
    let uploads = OpenUploads {
        http: http.map_err(|error| unusable(&error))?,
        place,
        region: region.to_owned(),
        credentials: Arc::clone(store.credentials()),
    };
    Ok(Bucket {
        cloud: Arc::new(store),
        uploads: Some(Arc::new(uploads)),
        prefix: options.prefix.clone(),
        shown: options.path.clone(),
        limits: S3,
    })
}

/// The URL of the bucket, as the library makes it.
fn s3_place(options: &Options, region: &str, path_style: bool) -> String {
    let bucket = &options.bucket;
    match (&options.endpoint, path_style) {
        (Some(endpoint), true) => format!("{endpoint}/{bucket}"),
        (Some(endpoint), false) => match endpoint.split_once("://") {
            Some((scheme, host)) => format!("{scheme}://{bucket}.{host}"),
            None => endpoint.clone(),
        },
        (None, true) => format!("https://s3.{region}.amazonaws.com/{bucket}"),
        (None, false) => format!("https://{bucket}.s3.{region}.amazonaws.com"),
    }
}

/// Credentials of the environment alone: an endpoint or a switch that somebody left there must not
/// lead a backup elsewhere.
fn from_environment(mut builder: AmazonS3Builder) -> AmazonS3Builder {
    use AmazonS3ConfigKey as Key;
    let keys = [
        ("AWS_ACCESS_KEY_ID", Key::AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", Key::SecretAccessKey),
        ("AWS_SESSION_TOKEN", Key::Token),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", Key::WebIdentityTokenFile),
        ("AWS_ROLE_ARN", Key::RoleArn),
        ("AWS_ROLE_SESSION_NAME", Key::RoleSessionName),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            Key::ContainerCredentialsRelativeUri,
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            Key::ContainerCredentialsFullUri,
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            Key::ContainerAuthorizationTokenFile,
        ),
    ];
    for (name, key) in keys {
        if let Ok(value) = env::var(name) {
            builder = builder.with_config(key, value);
        }
    }
    builder
}

/// Credentials of a file that can be read now, and is read again when it changes.
fn from_file<T: Shown>(file: &Path, profile: &str) -> Result<Arc<FromFile<T>>, DeviceError> {
    let provider = FromFile::new(file, profile);
    let read = provider.read();
    read.map_err(|text| refuse("credentials_file", text))?;
    Ok(Arc::new(provider))
}

fn azure(options: &Options, client: ClientOptions, account: &str) -> Result<Bucket, DeviceError> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(&options.bucket)
        .with_allow_http(options.allow_http)
        .with_retry(retry())
        .with_client_options(client);
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    builder = match &options.credentials {
        Credentials::Instance => builder,
        Credentials::Environment => azure_environment(builder),
        Credentials::File { file, profile } => builder.with_credentials(from_file(file, profile)?),
    };
    let store = builder.build().map_err(|error| unusable(&error))?;
    Ok(Bucket {
        cloud: Arc::new(store),
        // Blocks that no list names go away by themselves, and cannot be listed before.
        uploads: None,
        prefix: options.prefix.clone(),
        shown: options.path.clone(),
        limits: AZURE,
    })
}

fn azure_environment(mut builder: MicrosoftAzureBuilder) -> MicrosoftAzureBuilder {
    use AzureConfigKey as Key;
    let keys = [
        ("AZURE_STORAGE_ACCOUNT_KEY", Key::AccessKey),
        ("AZURE_STORAGE_KEY", Key::AccessKey),
        ("AZURE_STORAGE_SAS_TOKEN", Key::SasKey),
        ("AZURE_CLIENT_ID", Key::ClientId),
        ("AZURE_CLIENT_SECRET", Key::ClientSecret),
        ("AZURE_TENANT_ID", Key::AuthorityId),
        ("AZURE_FEDERATED_TOKEN_FILE", Key::FederatedTokenFile),
    ];
    for (name, key) in keys {
        if let Ok(value) = env::var(name) {
            builder = builder.with_config(key, value);
        }
    }
    builder
}
