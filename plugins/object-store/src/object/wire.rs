//! Requests that object_store does not make: open uploads, retention, checksums, what the bucket is
//! set up to do, parts with a checksum. Signed by the same credentials, as each provider wants it.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use object_store::gcp::GcpCredentialProvider;
use twinset_plugin_api::{DeviceError, Outcome};

use super::client::{LONGEST_PAUSE, PAUSE, RETRIES, RETRYING};
use super::errors::failed;
use super::os;

mod parts;
#[cfg(test)]
mod tests;

/// Whose signature requests bear.
pub(crate) enum Signer {
    S3 {
        region: String,
        credentials: AwsCredentialProvider,
    },
    Azure {
        account: String,
        credentials: AzureCredentialProvider,
    },
    Gcs {
        credentials: GcpCredentialProvider,
    },
}

/// The way to a bucket.
pub(crate) struct Wire {
    pub(crate) http: HttpClient,
    /// URL of the bucket.
    pub(crate) place: String,
    pub(crate) signer: Signer,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.place)
    }
}

/// A request about an object, or with an empty key about the bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'static str,
    pub(crate) key: &'a str,
    /// Encoded, its pairs in the order of their bytes.
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// What the store answered, whatever it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// True for what was done.
    pub(crate) const fn is_done(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The refusal as the library would tell it. The answer to HEAD has no body: Azure then says
    /// its code in a header.
    pub(crate) fn refusal(&self) -> object_store::Error {
        let (status, code) = (self.status, self.header("x-ms-error-code"));
        let body = match code.filter(|_| self.body.is_empty()) {
            Some(code) => format!("<Code>{code}</Code>"),
            None => self.body.clone(),
        };
        let source = format!("status code: {status}: {body}").into();
        let path = String::new();
        match status {
            404 => object_store::Error::NotFound { path, source },
            403 => object_store::Error::PermissionDenied { path, source },
            _ => generic(source),
        }
    }
}

impl Wire {
    /// Sends a request, again while the store is in trouble, with the patience that the library
    /// has for its own; gives any other answer.
    ///
    /// # Errors
    /// The store could not be reached, or stayed in trouble.
    pub(crate) async fn ask(&self, doing: &str, ask: &Ask<'_>) -> Result<Answer, DeviceError> {
        let shown = if ask.key.is_empty() {
            self.place.as_str()
        } else {
            ask.key
        };
        let begun = Instant::now();
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            let (answer, failure) = match self.once(ask).await {
                Ok(answer) if answer.is_done() => return Ok(answer),
                Ok(answer) => {
                    let refusal = answer.refusal();
                    (Some(answer), refusal)
                }
                Err(error) => (None, error),
            };
            let error = failed(doing, shown, &failure);
            let passes = error.outcome == Outcome::TRANSIENT;
            match answer {
                Some(answer) if !passes => return Ok(answer),
                _ if !passes || tries == RETRIES || begun.elapsed() > RETRYING => {
                    return Err(error);
                }
                _ => {}
            }
            tokio::time::sleep(jittered(pause)).await;
            (tries, pause) = (tries + 1, LONGEST_PAUSE.min(pause * 2));
        }
    }

    async fn once(&self, ask: &Ask<'_>) -> object_store::Result<Answer> {
        let mut place = self.place.clone();
        for part in ask.key.split('/').filter(|part| !part.is_empty()) {
            place.push('/');
            place.push_str(&encode(part));
        }
        if !ask.query.is_empty() {
            place.push('?');
            place.push_str(&ask.query);
        }
        let mut request = HttpRequest::new(HttpRequestBody::from(ask.body.clone()));
        let url = place.parse();
        *request.uri_mut() = url.map_err(|_| generic("the endpoint is no URL".into()))?;
        let method = ask.method.parse();
        *request.method_mut() = method.map_err(|_| generic("no such method".into()))?;
        for (name, value) in &ask.headers {
            let value = value.parse();
            let value = value.map_err(|_| generic(format!("{name}: malformed").into()))?;
            request.headers_mut().insert(*name, value);
        }
        self.sign(&mut request, ask).await?;
        let answer = self.http.execute(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let texts = |(name, value): (_, &_)| Some((text_of(name), header_text(value)?));
        let headers = answer.headers().iter().filter_map(texts).collect();
        let body = answer.into_body().bytes().await.map_err(broken)?;
        Ok(Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn sign(&self, request: &mut HttpRequest, ask: &Ask<'_>) -> object_store::Result<()> {
        // Azure signs it, Google wants it of an empty body too, which the client leaves without.
        let told = !matches!(self.signer, Signer::S3 { .. }) && ask.method == "PUT";
        if let (true, Ok(length)) = (told, ask.body.len().to_string().parse()) {
            request.headers_mut().insert("content-length", length);
        }
        match &self.signer {
            Signer::S3 {
                region,
                credentials,
            } => {
                let credential = credentials.get_credential().await?;
                AwsAuthorizer::new(&credential, "s3", region).try_authorize(request, None)
            }
            Signer::Azure {
                account,
                credentials,
            } => {
                let credential = credentials.get_credential().await?;
                AzureAuthorizer::new(&credential, account).try_authorize(request)
            }
            Signer::Gcs { credentials } => {
                let credential = credentials.get_credential().await?;
                let bearer = format!("Bearer {}", credential.bearer).parse();
                let bearer = bearer.map_err(|_| generic("a malformed token".into()))?;
                request.headers_mut().insert("authorization", bearer);
                Ok(())
            }
        }
    }
}

/// Between half of a pause and all of it: lanes that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let share = u32::try_from(os::mark() % 512).unwrap_or_default();
    pause * (512 + share) / 1024
}

fn text_of(name: impl AsRef<str>) -> String {
    name.as_ref().to_owned()
}

fn header_text(value: &impl AsRef<[u8]>) -> Option<String> {
    String::from_utf8(value.as_ref().to_vec()).ok()
}

fn broken(error: object_store::client::HttpError) -> object_store::Error {
    generic(Box::new(error))
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    let store = "wire";
    object_store::Error::Generic { store, source }
}

/// Everything but unreserved bytes as `%41`, as signatures want it.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What stands in an element of XML, the first of its name.
pub(crate) fn inside<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

/// The five names that XML has by itself; our keys and ids need no others.
pub(crate) fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}
