#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Page, parse};

#[test]
fn uploads_and_the_next_page_are_read() {
    let text = "<ListMultipartUploadsResult><NextKeyMarker>a&amp;b</NextKeyMarker>\
                <NextUploadIdMarker>2</NextUploadIdMarker><IsTruncated>true</IsTruncated>\
                <Upload><Key>a</Key><UploadId>1</UploadId><Owner><ID>x</ID></Owner></Upload>\
                <Upload><UploadId>2</UploadId><Key>a&amp;b</Key></Upload>\
                </ListMultipartUploadsResult>";
    let pair = |key: &str, id: &str| (key.to_owned(), id.to_owned());
    let page = parse(text);
    assert_eq!(page.uploads, [pair("a", "1"), pair("a&b", "2")]);
    assert_eq!(page.next, Some(pair("a&b", "2")));
    assert_eq!(parse("<IsTruncated>false</IsTruncated>"), Page::default());
    assert_eq!(parse("nonsense <Upload><Key>"), Page::default());
}
