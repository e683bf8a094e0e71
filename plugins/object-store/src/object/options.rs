//! The `options` table of this device.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};
use twinset_plugin_api::{DeviceError, Outcome};

use super::retain::Lock;

mod limits;
#[cfg(test)]
mod tests;

/// Checked options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whose store.
    pub(crate) provider: Provider,
    /// Bucket or container.
    pub(crate) bucket: String,
    /// Prefix in it, without slashes at the ends; may be empty.
    pub(crate) prefix: String,
    /// `path` as it was written.
    pub(crate) path: String,
    /// Where the store is, if it is not the provider's own.
    pub(crate) endpoint: Option<String>,
    /// Plain `http` was asked for in so many words.
    pub(crate) allow_http: bool,
    /// File of the only authorities that are believed.
    pub(crate) ca_file: Option<PathBuf>,
    /// Proxy in place of the environment's.
    pub(crate) proxy: Option<String>,
    /// Where the credentials are.
    pub(crate) credentials: Credentials,
    /// What the store compares each part with.
    pub(crate) checksum: Checksum,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How long each section is locked against removal, if at all.
    pub(crate) lock: Option<Lock>,
    /// Bytes per second to and from the store, if they are limited.
    pub(crate) rate: Option<u64>,
    /// Parts that a lane has on their way at most.
    pub(crate) parallel: usize,
}

/// Whose store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// S3 or compatible.
    S3 {
        region: String,
        /// The bucket stands in the path, not in the host's name.
        path_style: bool,
    },
    /// Azure Blob Storage.
    Azure { account: String },
    /// Google Cloud Storage.
    Gcs,
}

/// Where the credentials are; never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Variables of the environment, as the provider's own tools name them; web identity and
    /// container credentials are found by them too.
    Environment,
    /// What the machine is given by the metadata service.
    Instance,
    /// A profile of a file in the form of `~/.aws/credentials`.
    File { file: PathBuf, profile: String },
}

/// What the store compares each part with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Sha256,
    Crc64Nvme,
    None,
}

fn refuse(text: impl Into<String>) -> DeviceError {
    DeviceError::new(Outcome::BAD_OPTION, text)
}

const KEYS: &[&str] = &[
    "path",
    "region",
    "endpoint",
    "path_style",
    "allow_http",
    "account",
    "ca_file",
    "proxy",
    "credentials",
    "credentials_file",
    "profile",
    "checksum",
    "timeout_seconds",
    "lock",
    "lock_mode",
    "rate_limit",
    "parallel",
];
const SECRETS: &[&str] = &[
    "access_key_id",
    "secret_access_key",
    "access_key",
    "secret_key",
    "session_token",
    "account_key",
    "sas_token",
    "client_secret",
];
/// Longest prefix in bytes; a whole key may have 1024.
const PREFIX_MAX: usize = 400;
const TIMEOUT: Duration = Duration::from_secs(60);
const TIMEOUTS: std::ops::RangeInclusive<u64> = 5..=600;

/// The table, with refusals that begin with the key.
struct Table(Map<String, Value>);

impl Table {
    fn text(&self, key: &str) -> Result<Option<&str>, DeviceError> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && !text.contains(char::is_control) => {
                Ok(Some(text))
            }
            Some(_) => Err(refuse(format!("{key}: must be a text"))),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, DeviceError> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(refuse(format!("{key}: must be true or false"))),
        }
    }

    fn file(&self, key: &str) -> Result<Option<PathBuf>, DeviceError> {
        match self.text(key)? {
            Some(path) if !Path::new(path).is_absolute() => Err(refuse(format!(
                "{key}: must be an absolute file, not `{path}`"
            ))),
            path => Ok(path.map(PathBuf::from)),
        }
    }
}

/// Reads the options; every refusal begins with the key it concerns.
pub(crate) fn parse(text: &str) -> Result<Options, DeviceError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("options: not JSON: {error}")))?;
    let Value::Object(table) = value else {
        let text = "options: must be a table, like { path = \"s3://bucket/prefix\" }";
        return Err(refuse(text));
    };
    for key in table.keys() {
        known(key)?;
    }
    let table = Table(table);
    let path = table.text("path")?;
    let path = path.ok_or_else(|| refuse("path: missing; like \"s3://bucket/prefix\""))?;
    let (scheme, bucket, prefix) = split(path)?;
    let endpoint = table
        .text("endpoint")?
        .map(|text| text.trim_end_matches('/').to_owned());
    let allow_http = table.flag("allow_http")?.unwrap_or(false);
    if let Some(endpoint) = &endpoint {
        check_endpoint(endpoint, allow_http)?;
    }
    let provider = provider(&table, scheme, endpoint.is_some())?;
    Ok(Options {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        path: path.to_owned(),
        endpoint,
        allow_http,
        ca_file: table.file("ca_file")?,
        proxy: proxy(&table)?,
        credentials: credentials(&table)?,
        checksum: checksum(&table, &provider)?,
        timeout: timeout(&table)?,
        lock: limits::lock(&table, &provider)?,
        rate: limits::rate(&table)?,
        parallel: limits::parallel(&table)?,
        provider,
    })
}

fn known(key: &str) -> Result<(), DeviceError> {
    if SECRETS.contains(&key) {
        return Err(refuse(format!(
            "{key}: secrets do not belong into the configuration; use `credentials_file`"
        )));
    }
    if KEYS.contains(&key) {
        return Ok(());
    }
    let keys = KEYS.join(", ");
    Err(refuse(format!(
        "{key}: unknown option; an object store has {keys}"
    )))
}

/// Scheme, bucket, prefix.
fn split(path: &str) -> Result<(&str, &str, &str), DeviceError> {
    let wrong = |what: &str| {
        let form =
            "must be like `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`";
        refuse(format!("path: {form}, not `{path}`: {what}"))
    };
    let (scheme, rest) = path
        .split_once("://")
        .ok_or_else(|| wrong("it has no scheme"))?;
    if !matches!(scheme, "s3" | "az" | "gs") {
        return Err(wrong("its scheme is unknown"));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if bucket.len() < 3 || bucket.len() > 63 || !bucket.bytes().all(letter) {
        return Err(wrong("a bucket has 3 to 63 letters, digits and `.-_`"));
    }
    // Names of databases may stand in it, so it takes what people write.
    let odd = |c: char| c.is_control() || r#"\?#*"<>|{}"#.contains(c);
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(odd);
    if prefix.len() > PREFIX_MAX || !(prefix.is_empty() || prefix.split('/').all(part)) {
        return Err(wrong("its prefix is malformed, or longer than 400 bytes"));
    }
    Ok((scheme, bucket, prefix))
}

fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<(), DeviceError> {
    let (scheme, host) = endpoint.split_once("://").unwrap_or(("", ""));
    let refused = if host.is_empty() || host.contains(['@', '?', '#', ' ']) {
        "must be like `https://store.example.com:9000`"
    } else if scheme == "http" && !allow_http {
        "plain http shows every byte on the way; use https, or say `allow_http = true`"
    } else if scheme != "http" && scheme != "https" {
        "must begin with https://"
    } else {
        return Ok(());
    };
    Err(refuse(format!("endpoint: {refused}")))
}

fn provider(table: &Table, scheme: &str, elsewhere: bool) -> Result<Provider, DeviceError> {
    let not_for = |key: &str, whom: &str| {
        let given = table.0.contains_key(key);
        let text = format!("{key}: is for {whom} alone; `path` says {scheme}://");
        if given { Err(refuse(text)) } else { Ok(()) }
    };
    if scheme != "s3" {
        for key in ["region", "path_style"] {
            not_for(key, "s3://")?;
        }
    }
    if scheme == "gs" {
        not_for("account", "az://")?;
        not_for("profile", "s3:// and az://")?;
        return Ok(Provider::Gcs);
    }
    if scheme == "az" {
        let account = table.text("account")?;
        let account = account.ok_or_else(|| refuse("account: missing; az:// needs it"))?;
        let account = account.to_owned();
        return Ok(Provider::Azure { account });
    }
    not_for("account", "az://")?;
    let region = table.text("region")?;
    if region.is_none() && !elsewhere {
        return Err(refuse(
            "region: missing; name the bucket's region, or an `endpoint`",
        ));
    }
    Ok(Provider::S3 {
        region: region.unwrap_or("us-east-1").to_owned(),
        path_style: table.flag("path_style")?.unwrap_or(elsewhere),
    })
}

fn proxy(table: &Table) -> Result<Option<String>, DeviceError> {
    match table.text("proxy")? {
        Some(proxy) if proxy.contains('@') => Err(refuse(
            "proxy: secrets do not belong into the configuration; set HTTPS_PROXY instead",
        )),
        Some(proxy) if !proxy.contains("://") => Err(refuse(
            "proxy: must be like `http://proxy.example.com:3128`",
        )),
        proxy => Ok(proxy.map(str::to_owned)),
    }
}

fn credentials(table: &Table) -> Result<Credentials, DeviceError> {
    let file = table.file("credentials_file")?;
    let profile = table.text("profile")?;
    let wanted = table.text("credentials")?;
    match (wanted, file) {
        (None | Some("file"), Some(file)) => Ok(Credentials::File {
            file,
            profile: profile.unwrap_or("default").to_owned(),
        }),
        (Some("file"), None) => Err(refuse("credentials_file: missing")),
        (Some(_), Some(_)) => Err(refuse(
            "credentials_file: stands beside `credentials`; only one of the two is used",
        )),
        (_, None) if profile.is_some() => Err(refuse(
            "profile: names a part of `credentials_file`, which is missing",
        )),
        (None | Some("environment"), None) => Ok(Credentials::Environment),
        (Some("instance"), None) => Ok(Credentials::Instance),
        (Some(other), None) => Err(refuse(format!(
            "credentials: must be environment, instance or file, not `{other}`"
        ))),
    }
}

fn checksum(table: &Table, provider: &Provider) -> Result<Checksum, DeviceError> {
    let wanted = table.text("checksum")?;
    if wanted.is_some() && !matches!(provider, Provider::S3 { .. }) {
        return Err(refuse("checksum: is for s3:// alone"));
    }
    match wanted {
        None | Some("sha256") => Ok(Checksum::Sha256),
        Some("crc64nvme") => Ok(Checksum::Crc64Nvme),
        Some("none") => Ok(Checksum::None),
        Some(other) => Err(refuse(format!(
            "checksum: must be sha256, crc64nvme or none, not `{other}`"
        ))),
    }
}

fn timeout(table: &Table) -> Result<Duration, DeviceError> {
    match table.0.get("timeout_seconds") {
        None => Ok(TIMEOUT),
        Some(value) => match value.as_u64() {
            Some(seconds) if TIMEOUTS.contains(&seconds) => Ok(Duration::from_secs(seconds)),
            _ => Err(refuse("timeout_seconds: must be from 5 to 600")),
        },
    }
}
