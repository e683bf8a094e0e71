#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Answer, encode, inside, plain};
use crate::object::errors::failed;

#[test]
fn queries_are_encoded_as_signatures_want_it() {
    assert_eq!(encode("a-b_c.d~/e f"), "a-b_c.d~%2Fe%20f");
}

#[test]
fn elements_are_found_and_read() {
    assert_eq!(inside("<A><B>x</B></A>", "B"), Some("x"));
    assert_eq!(inside("<A><B>x</A>", "B"), None);
    assert_eq!(plain("a&amp;lt;&quot;b&quot;"), "a&lt;\"b\"");
}

#[test]
fn a_refusal_tells_the_code_of_body_or_header() {
    let answer = Answer {
        status: 409,
        headers: vec![("x-ms-error-code".into(), "BlobImmutableDueToPolicy".into())],
        body: String::new(),
    };
    let told = failed("remove", "a", &answer.refusal());
    assert_eq!(
        told.text,
        "remove a: the store answered 409 BlobImmutableDueToPolicy; the object is locked against changes"
    );
    let answer = Answer {
        status: 404,
        headers: Vec::new(),
        body: "<Error><Code>NoSuchBucket</Code></Error>".into(),
    };
    let told = failed("look at", "a", &answer.refusal());
    assert!(told.text.contains("create the bucket"), "{}", told.text);
}
