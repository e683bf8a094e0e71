//! Parts and objects with an MD5 that the store compares with what arrived. The library sends
//! checksums to S3 alone.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use object_store::multipart::PartId;
use object_store::{PutMode, UpdateVersion};
use twinset_plugin_api::{DeviceError, Outcome};

use super::{Answer, Ask, Signer, Wire, encode};
use crate::object::bucket::Put;
use crate::object::errors::failed;

fn sum(bytes: &Bytes) -> (&'static str, String) {
    ("content-md5", BASE64_STANDARD.encode(Md5::digest(bytes)))
}

impl Wire {
    /// True where bytes are sent from here.
    pub(crate) const fn sends(&self) -> bool {
        !matches!(self.signer, Signer::S3 { .. })
    }

    /// Sends one part of an upload that the library began and completes.
    ///
    /// <https://learn.microsoft.com/rest/api/storageservices/put-block>
    /// <https://docs.cloud.google.com/storage/docs/xml-api/put-object-multipart>
    ///
    /// # Errors
    /// The store's; bytes that arrive otherwise than they were sent are sent again.
    pub(crate) async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: usize,
        bytes: &Bytes,
    ) -> Result<PartId, DeviceError> {
        let doing = format!("upload part {} of", number + 1);
        // Every block of a blob has an id of the same length, which the list of them names.
        let block = format!("{number:016}");
        let query = match self.signer {
            Signer::Azure { .. } => {
                let id = BASE64_STANDARD.encode(&block);
                format!("blockid={}&comp=block", encode(&id))
            }
            _ => format!("partNumber={}&uploadId={}", number + 1, encode(upload)),
        };
        let ask = Ask {
            method: "PUT",
            key,
            query,
            headers: vec![sum(bytes)],
            body: bytes.clone(),
        };
        let answer = self.ask(&doing, &ask).await?;
        if !answer.is_done() {
            return Err(failed(&doing, key, &answer.refusal()));
        }
        let content_id = match self.signer {
            Signer::Azure { .. } => block,
            _ => answer.header("etag").map(str::to_owned).ok_or_else(|| {
                let text = format!("{doing} {key}: the store gave it no tag");
                DeviceError::new(Outcome::TRANSIENT, text)
            })?,
        };
        Ok(PartId { content_id })
    }

    /// Puts a small object.
    ///
    /// <https://learn.microsoft.com/rest/api/storageservices/put-blob>
    /// <https://docs.cloud.google.com/storage/docs/xml-api/put-object-upload>
    ///
    /// # Errors
    /// The store's; bytes that arrive otherwise than they were sent are sent again.
    pub(crate) async fn put(
        &self,
        key: &str,
        bytes: &Bytes,
        mode: &PutMode,
    ) -> Result<Put, DeviceError> {
        let mut headers = vec![sum(bytes)];
        let is_azure = matches!(self.signer, Signer::Azure { .. });
        if is_azure {
            headers.push(("x-ms-blob-type", "BlockBlob".into()));
        }
        headers.extend(condition(mode, is_azure));
        let ask = Ask {
            method: "PUT",
            key,
            headers,
            body: bytes.clone(),
            ..Ask::default()
        };
        let answer = self.ask("put", &ask).await?;
        let updates = matches!(mode, PutMode::Update(_));
        match answer.status {
            // Exists; is not what the condition says; is no more.
            409 if is_azure && answer.is_called("BlobAlreadyExists") => Ok(Put::Taken),
            412 => Ok(Put::Taken),
            404 if updates && !answer.is_called("NoSuchBucket") => Ok(Put::Taken),
            _ if answer.is_done() => {
                let told = |name: &str| answer.header(name).map(str::to_owned);
                let version = told("x-ms-version-id").or_else(|| told("x-goog-generation"));
                Ok(Put::Done(told("etag"), version))
            }
            _ => Err(failed("put", key, &answer.refusal())),
        }
    }
}

/// A condition as each store wants it: Google compares generations, Azure tags.
pub(super) fn condition(mode: &PutMode, is_azure: bool) -> Option<(&'static str, String)> {
    const GENERATION: &str = "x-goog-if-generation-match";
    match (mode, is_azure) {
        (PutMode::Overwrite, _) => None,
        (PutMode::Create, true) => Some(("if-none-match", "*".into())),
        (PutMode::Create, false) => Some((GENERATION, "0".into())),
        (PutMode::Update(UpdateVersion { e_tag, .. }), true) => {
            // Without one nothing may be replaced.
            Some(("if-match", e_tag.clone().unwrap_or_else(|| "none".into())))
        }
        (PutMode::Update(UpdateVersion { version, .. }), false) => {
            Some((GENERATION, version.clone().unwrap_or_else(|| "0".into())))
        }
    }
}

impl Answer {
    /// True when the store refused with this code.
    fn is_called(&self, code: &str) -> bool {
        self.header("x-ms-error-code") == Some(code)
            || self.body.contains(&format!("<Code>{code}</Code>"))
    }
}
