//! Unfinished multipart uploads, which object_store cannot list: one signed request of our own.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use std::fmt;
use std::time::Duration;

use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use twinset_plugin_api::{DeviceError, Outcome};

use super::errors::failed;

#[cfg(test)]
mod tests;

/// Times that a list is asked for.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);
/// Pages of a thousand uploads that are read at most.
const PAGES: usize = 64;

/// Lists the unfinished uploads of a bucket.
pub(crate) struct OpenUploads {
    pub(crate) http: HttpClient,
    /// URL of the bucket.
    pub(crate) place: String,
    pub(crate) region: String,
    pub(crate) credentials: AwsCredentialProvider,
}

impl fmt::Debug for OpenUploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenUploads({})", self.place)
    }
}

/// One page of the answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    uploads: Vec<(String, String)>,
    next: Option<(String, String)>,
}

impl OpenUploads {
    /// Keys and ids of the uploads whose key begins with `prefix`. A store that has no such list
    /// gives none: what was noted of an upload is aborted all the same.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<(String, String)>, DeviceError> {
        let mut all = Vec::new();
        let mut from: Option<(String, String)> = None;
        for _ in 0..PAGES {
            let mut query = format!("max-uploads=1000&prefix={}&uploads=", encode(prefix));
            if let Some((key, id)) = &from {
                let (key, id) = (encode(key), encode(id));
                query = format!("key-marker={key}&{query}&upload-id-marker={id}");
            }
            let Some(text) = self.ask(&query).await? else {
                return Ok(all);
            };
            let page = parse(&text);
            let ours = page.uploads.into_iter();
            all.extend(ours.filter(|(key, _)| key.starts_with(prefix)));
            match page.next {
                Some(next) if Some(&next) != from.as_ref() => from = Some(next),
                _ => return Ok(all),
            }
        }
        Ok(all)
    }

    async fn ask(&self, query: &str) -> Result<Option<String>, DeviceError> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let failure = match self.ask_once(query).await {
                Ok((200, text)) => return Ok(Some(text)),
                // Not every compatible store has this call.
                Ok((404 | 405 | 501, _)) => return Ok(None),
                Ok((status, text)) => {
                    let text = format!("status code: {status}: {text}");
                    generic(text)
                }
                Err(error) => error,
            };
            let error = failed("list the open uploads of", &self.place, &failure);
            if error.outcome != Outcome::TRANSIENT || tries == TRIES {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            (tries, pause) = (tries + 1, pause * 2);
        }
    }

    async fn ask_once(&self, query: &str) -> object_store::Result<(u16, String)> {
        let credential = self.credentials.get_credential().await?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        let place = format!("{}?{query}", self.place);
        *request.uri_mut() = place
            .parse()
            .map_err(|_| generic("the endpoint is no URL".into()))?;
        AwsAuthorizer::new(&credential, "s3", &self.region).try_authorize(&mut request, None)?;
        let sent = self.http.execute(request).await;
        let answer = sent.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn generic(text: String) -> object_store::Error {
    object_store::Error::Generic {
        store: "S3",
        source: text.into(),
    }
}

/// Everything but unreserved bytes as `%41`, as signatures want it.
fn encode(text: &str) -> String {
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

fn inside<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

/// The five names that XML has by itself; our keys and ids need no others.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn parse(text: &str) -> Page {
    let uploads = text
        .split("<Upload>")
        .skip(1)
        .filter_map(|part| {
            let part = part.split_once("</Upload>").map_or(part, |(part, _)| part);
            Some((
                plain(inside(part, "Key")?),
                plain(inside(part, "UploadId")?),
            ))
        })
        .collect();
    let more = inside(text, "IsTruncated").is_some_and(|text| text.trim() == "true");
    let next = || {
        let key = plain(inside(text, "NextKeyMarker")?);
        Some((
            key,
            plain(inside(text, "NextUploadIdMarker").unwrap_or_default()),
        ))
    };
    Page {
        uploads,
        next: more.then(next).flatten(),
    }
}
