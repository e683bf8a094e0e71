//! What a store says, as outcomes with a remedy.
//!
//! object_store keeps its retry error to itself, so status and code are read from the texts of the
//! chain (0.14: `Server returned non-2xx status code: 503 Service Unavailable: <body>`).

use std::error::Error as _;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use twinset_plugin_api::{DeviceError, Outcome};

#[cfg(test)]
mod tests;

/// Longest part of a store's own words in our texts, in bytes.
const WORDS_MAX: usize = 300;

/// What can be read from a failure.
#[derive(Debug, Default)]
struct Seen {
    status: Option<u16>,
    /// The answer was a status alone.
    bare: bool,
    /// `SlowDown`, `NoSuchBucket`, ... as the store's XML says it.
    code: String,
    /// `Please reduce your request rate.`
    message: String,
    /// The innermost cause, where the store never answered.
    cause: String,
}

impl Seen {
    fn of(error: &Error) -> Self {
        let mut seen = Self::default();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if seen.status.is_none() {
                seen.status = status(&text);
                seen.bare = seen.status.is_some() && text.trim_end().ends_with(':');
            }
            if seen.code.is_empty() {
                seen.code = tag(&text, "Code").to_owned();
                // Azure adds lines with numbers of the request.
                let message = tag(&text, "Message").lines().next();
                seen.message = message.unwrap_or_default().trim().to_owned();
            }
            seen.cause = text;
            next = cause.source();
        }
        if seen.cause.is_empty() {
            seen.cause = error.to_string();
        }
        seen
    }

    /// The store's words, or why it could not speak.
    fn words(&self) -> String {
        let mut words = match (self.status, self.code.as_str()) {
            (Some(status), "") => format!("the store answered {status}"),
            (Some(status), code) => format!("the store answered {status} {code}"),
            (None, "") => self.cause.clone(),
            (None, code) => format!("the store answered {code}"),
        };
        if !self.message.is_empty() {
            words.push_str(" (");
            words.push_str(self.message.trim_end_matches('.'));
            words.push(')');
        }
        cut(words.replace(char::is_control, " "))
    }

    fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// The answer to HEAD has no body that could say why: S3 answers a bare 400 then.
    fn is_expired(&self) -> bool {
        self.is(EXPIRED) || (self.status == Some(400) && self.bare)
    }
}

fn cut(mut text: String) -> String {
    if text.len() > WORDS_MAX {
        let mut end = WORDS_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

fn tag<'a>(text: &'a str, name: &str) -> &'a str {
    let inside = text
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    inside.map_or("", |(inside, _)| inside.trim())
}

/// Codes of a medium that is full.
const FULL: &[&str] = &[
    "QuotaExceeded",
    "XMinioStorageFull",
    "InsufficientStorage",
    "AccountLimitExceeded",
    "BucketQuotaExceeded",
];
const NO_BUCKET: &[&str] = &["NoSuchBucket", "ContainerNotFound", "InvalidBucketName"];
const SKEWED: &[&str] = &["RequestTimeTooSkewed", "RequestExpired"];
const BAD_KEY: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "AuthorizationFailure",
    "InvalidToken",
    "InvalidAuthenticationInfo",
    "NoAuthenticationInformation",
];
const EXPIRED: &[&str] = &[
    "ExpiredToken",
    "TokenRefreshRequired",
    "ExpiredAuthenticationToken",
];
const SLOW: &[&str] = &[
    "SlowDown",
    "Throttling",
    "ServerBusy",
    "RequestLimitExceeded",
];
/// What was sent did not arrive as it was sent.
const CORRUPT: &[&str] = &[
    "BadDigest",
    "Md5Mismatch",
    "Crc64Mismatch",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
    "IncompleteBody",
    "RequestTimeout",
    "InvalidPart.Checksum",
];
/// What is locked against removal.
const IMMUTABLE: &[&str] = &[
    "ObjectLocked",
    "BlobImmutableDueToPolicy",
    "InvalidObjectState",
];

/// True when the same bytes sent again may arrive whole, which the library does not try.
pub(crate) fn is_corrupt(error: &Error) -> bool {
    Seen::of(error).is(CORRUPT)
}

/// True when the credentials were good and are no more.
pub(crate) fn is_expired(error: &Error) -> bool {
    Seen::of(error).is_expired()
}

/// True when the answer broke off: the library tries requests again, but not every answer. A store
/// that cannot be reached at all was tried often enough.
pub(crate) fn is_broken(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(http) = cause.downcast_ref::<HttpError>()
            && http.kind() == HttpErrorKind::Connect
        {
            return false;
        }
        next = cause.source();
    }
    let seen = Seen::of(error);
    let generic = matches!(error, Error::Generic { .. });
    generic && seen.status.is_none() && seen.code.is_empty()
}

fn class(error: &Error, seen: &Seen) -> (Outcome, &'static str) {
    let status = seen.status.unwrap_or(0);
    if seen.is(NO_BUCKET) {
        let remedy = "create the bucket, or correct `path` and `endpoint`";
        return (Outcome::NO_MEDIUM, remedy);
    }
    if seen.is(FULL) || status == 507 {
        return (
            Outcome::END_OF_MEDIUM,
            "no space or quota is left in the store",
        );
    }
    if seen.is(SKEWED) {
        let remedy = "the clocks of host and store differ: set the host's clock (chrony)";
        return (Outcome::PERMANENT, remedy);
    }
    if seen.is_expired() {
        let remedy = "the credentials have expired: renew them where `credentials` points";
        return (Outcome::TRANSIENT, remedy);
    }
    if seen.is(BAD_KEY) || status == 401 {
        let remedy = "the store refuses the credentials: look at `credentials` and the clock";
        return (Outcome::PERMANENT, remedy);
    }
    if seen.is(IMMUTABLE) {
        return (
            Outcome::WRITE_PROTECTED,
            "the object is locked against changes",
        );
    }
    if seen.is(SLOW) || status == 429 || status == 503 {
        let remedy = "the store is throttling or overloaded: run fewer backups at a time";
        return (Outcome::TRANSIENT, remedy);
    }
    match error {
        Error::NotFound { .. } => (Outcome::NOT_FOUND, ""),
        Error::AlreadyExists { .. } => (Outcome::EXISTS, ""),
        Error::Precondition { .. } => (Outcome::EXISTS, "somebody else changed it meanwhile"),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            let remedy = "the credentials lack this right: see docs/object-store.md";
            (Outcome::WRITE_PROTECTED, remedy)
        }
        Error::NotSupported { .. } | Error::NotImplemented { .. } => (Outcome::NOT_SUPPORTED, ""),
        _ if seen.is(CORRUPT) => (
            Outcome::TRANSIENT,
            "the bytes did not arrive as they were sent",
        ),
        _ if (301..=308).contains(&status) => (
            Outcome::PERMANENT,
            "the bucket lies elsewhere: correct `region` or `endpoint`",
        ),
        _ if (500..=599).contains(&status) || status == 408 => (
            Outcome::TRANSIENT,
            "the store is in trouble; it is tried again with the next run",
        ),
        _ if seen.status.is_none() && seen.code.is_empty() => (
            Outcome::TRANSIENT,
            "look at `endpoint`, the network and the store's certificate",
        ),
        _ => (Outcome::PERMANENT, ""),
    }
}

/// `doing object: words of the store; remedy`.
pub(crate) fn failed(doing: &str, object: &str, error: &Error) -> DeviceError {
    let seen = Seen::of(error);
    let (outcome, remedy) = class(error, &seen);
    let mut text = format!("{doing} {object}: {}", seen.words());
    if !remedy.is_empty() {
        text.push_str("; ");
        text.push_str(remedy);
    }
    DeviceError::new(outcome, text)
}

/// A state in which the call makes no sense.
pub(crate) fn misused(text: &str) -> DeviceError {
    DeviceError::new(Outcome::PERMANENT, text)
}

/// What was asked for is not there.
pub(crate) fn missing(what: &str) -> DeviceError {
    DeviceError::new(Outcome::NOT_FOUND, format!("there is no {what}"))
}

/// What was to be made is there.
pub(crate) fn exists(what: &str) -> DeviceError {
    DeviceError::new(Outcome::EXISTS, format!("{what} exists"))
}
