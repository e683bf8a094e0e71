//! Credentials from a file, read again when the file has changed: whoever renews them writes the
//! file, and a run that lasts for hours goes on with the new ones.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use object_store::azure::{AzureAccessKey, AzureCredential};

use super::os;

pub(crate) mod google;
#[cfg(test)]
mod tests;

/// Largest file that is read, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// A profile of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Profile(Vec<(String, String)>);

impl Profile {
    /// Finds a profile in text of the form of `~/.aws/credentials`.
    ///
    /// # Errors
    /// That there is no such profile.
    pub(crate) fn find(text: &str, profile: &str) -> Result<Self, String> {
        let (mut inside, mut seen, mut pairs) = (false, false, Vec::new());
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                let name = name.trim();
                inside = name == profile || name.strip_prefix("profile ") == Some(profile);
                seen |= inside;
            } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
                pairs.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        if seen {
            Ok(Self(pairs))
        } else {
            Err(format!("has no profile [{profile}]"))
        }
    }

    fn get(&self, key: &str) -> Option<String> {
        let found = self.0.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| value.clone())
    }

    fn need(&self, key: &str) -> Result<String, String> {
        let value = self.get(key).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("lacks {key}"))
    }
}

/// What a cloud wants to be shown.
pub(crate) trait Shown: Sized + Send + Sync + fmt::Debug + 'static {
    fn of(profile: &Profile) -> Result<Self, String>;
}

impl Shown for AwsCredential {
    fn of(profile: &Profile) -> Result<Self, String> {
        Ok(Self {
            key_id: profile.need("aws_access_key_id")?,
            secret_key: profile.need("aws_secret_access_key")?,
            token: profile.get("aws_session_token"),
        })
    }
}

impl Shown for AzureCredential {
    fn of(profile: &Profile) -> Result<Self, String> {
        if let Some(sas) = profile.get("azure_storage_sas_token") {
            let pairs = sas.trim_start_matches('?').split('&');
            let pairs = pairs.filter_map(|pair| pair.split_once('='));
            let decode = |text: &str| decode(text).ok_or("has a malformed azure_storage_sas_token");
            let decoded: Result<Vec<_>, _> = pairs
                .map(|(key, value)| Ok::<_, &str>((decode(key)?, decode(value)?)))
                .collect();
            return Ok(Self::SASToken(decoded?));
        }
        let key = profile.need("azure_storage_account_key")?;
        let key = AzureAccessKey::try_new(&key);
        key.map(Self::AccessKey)
            .map_err(|_| "has a malformed azure_storage_account_key".to_owned())
    }
}

/// Text of a query with its `%41`.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? << 4 | digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The text of a file with secrets that others cannot read.
fn text_of(file: &Path, meta: &fs::Metadata) -> Result<String, String> {
    if let Some(what) = os::readable_by_others(file, meta)? {
        return Err(what);
    }
    if !meta.is_file() || meta.len() > FILE_MAX {
        return Err(format!("is no file of at most {FILE_MAX} bytes"));
    }
    fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))
}

/// What was read, and when the file was last changed.
type Read<T> = (Option<SystemTime>, Arc<T>);

/// The provider.
pub(crate) struct FromFile<T> {
    file: PathBuf,
    profile: String,
    last: Mutex<Option<Read<T>>>,
}

impl<T> fmt::Debug for FromFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FromFile({} [{}])", self.file.display(), self.profile)
    }
}

impl<T: Shown> FromFile<T> {
    pub(crate) fn new(file: &Path, profile: &str) -> Self {
        Self {
            file: file.to_owned(),
            profile: profile.to_owned(),
            last: Mutex::new(None),
        }
    }

    /// The credentials as the file says now.
    ///
    /// # Errors
    /// What is wrong with the file, beginning with its name.
    pub(crate) fn read(&self) -> Result<Arc<T>, String> {
        self.look()
            .map_err(|what| format!("{} {what}", self.file.display()))
    }

    fn look(&self) -> Result<Arc<T>, String> {
        let meta = fs::metadata(&self.file).map_err(|error| format!("cannot be read: {error}"))?;
        let changed = meta.modified().ok();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, known)) = &*last
            && *when == changed
        {
            return Ok(Arc::clone(known));
        }
        let text = text_of(&self.file, &meta)?;
        let read = Arc::new(T::of(&Profile::find(&text, &self.profile)?)?);
        *last = Some((changed, Arc::clone(&read)));
        Ok(read)
    }
}

#[async_trait]
impl<T: Shown> CredentialProvider for FromFile<T> {
    type Credential = T;

    async fn get_credential(&self) -> object_store::Result<Arc<T>> {
        self.read().map_err(|text| object_store::Error::Generic {
            store: "credentials",
            source: text.into(),
        })
    }
}
