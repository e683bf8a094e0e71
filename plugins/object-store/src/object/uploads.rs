//! Unfinished multipart uploads, which object_store cannot list. S3 and Google Cloud Storage have the
//! same call for it.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
//! <https://docs.cloud.google.com/storage/docs/xml-api/get-bucket-uploads>

use twinset_plugin_api::DeviceError;

use super::errors::failed;
use super::wire::{Ask, Wire, encode, inside, plain};

#[cfg(test)]
mod tests;

/// Pages of a thousand uploads that are read at most.
const PAGES: usize = 64;
const DOING: &str = "list the open uploads of";

/// One page of the answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    uploads: Vec<(String, String)>,
    next: Option<(String, String)>,
}

/// Keys and ids of the uploads whose key begins with `prefix`. A store that has no such list gives
/// none: what was noted of an upload is aborted all the same.
pub(crate) async fn list(wire: &Wire, prefix: &str) -> Result<Vec<(String, String)>, DeviceError> {
    let mut all = Vec::new();
    let mut from: Option<(String, String)> = None;
    for _ in 0..PAGES {
        let mut query = format!("max-uploads=1000&prefix={}&uploads=", encode(prefix));
        if let Some((key, id)) = &from {
            let (key, id) = (encode(key), encode(id));
            query = format!("key-marker={key}&{query}&upload-id-marker={id}");
        }
        let ask = Ask {
            method: "GET",
            query,
            ..Ask::default()
        };
        let answer = wire.ask(DOING, &ask).await?;
        match answer.status {
            200 => {}
            // Not every compatible store has this call.
            404 | 405 | 501 => return Ok(all),
            _ => return Err(failed(DOING, &wire.place, &answer.refusal())),
        }
        let page = parse(&answer.body);
        let ours = page.uploads.into_iter();
        all.extend(ours.filter(|(key, _)| key.starts_with(prefix)));
        match page.next {
            Some(next) if Some(&next) != from.as_ref() => from = Some(next),
            _ => return Ok(all),
        }
    }
    Ok(all)
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
