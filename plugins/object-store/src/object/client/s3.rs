//! Amazon S3 and compatible stores.

use std::env;
use std::sync::Arc;

use object_store::ClientOptions;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum as S3Checksum};
use object_store::client::HttpClient;
use twinset_plugin_api::DeviceError;

use super::{LIMITS, Made, Shared, from_file, retry, unusable};
use crate::object::options::{Checksum, Credentials, Options};
use crate::object::wire::Signer;

/// Makes the client of a bucket of S3.
pub(super) fn make(
    options: &Options,
    (client, http): (ClientOptions, &HttpClient),
    region: &str,
    path_style: bool,
) -> Result<Made, DeviceError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&options.bucket)
        .with_region(region)
        .with_virtual_hosted_style_request(!path_style)
        .with_allow_http(options.allow_http)
        .with_retry(retry())
        .with_client_options(client);
    let place = place_of(options, region, path_style);
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
        Credentials::Instance => metadata(builder),
        Credentials::Environment => from_environment(builder),
        Credentials::File { file, profile } => builder
            .with_http_connector(Shared(http.clone()))
            .with_credentials(from_file(file, profile)?),
    };
    let store = builder.build().map_err(|error| unusable(&error))?;
    Ok(Made {
        signer: Signer::S3 {
            region: region.to_owned(),
            credentials: Arc::clone(store.credentials()),
        },
        cloud: Arc::new(store),
        place,
        lists_uploads: true,
        limits: LIMITS,
    })
}

/// The URL of the bucket, as the library makes it.
fn place_of(options: &Options, region: &str, path_style: bool) -> String {
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
        // Not where bytes go, but who is asked for credentials: endpoints of private networks.
        ("AWS_ENDPOINT_URL_STS", Key::StsEndpoint),
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
    metadata(builder)
}

/// The metadata service, where the host has it elsewhere: the variable of Amazon's own tools.
fn metadata(builder: AmazonS3Builder) -> AmazonS3Builder {
    match env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        Ok(place) => builder.with_metadata_endpoint(place.trim_end_matches('/')),
        Err(_) => builder,
    }
}
