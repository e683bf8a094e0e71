#![allow(clippy::unwrap_used, clippy::panic)]

use object_store::{PutMode, UpdateVersion};

use super::parts::condition;
use super::{Answer, PAUSE, encode, inside, jittered, plain};
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

#[test]
fn conditions_are_told_as_each_store_compares() {
    let update = PutMode::Update(UpdateVersion {
        e_tag: Some("\"a\"".into()),
        version: Some("7".into()),
    });
    let pair = |name, value: &str| Some((name, value.to_owned()));
    assert_eq!(condition(&PutMode::Overwrite, true), None);
    assert_eq!(condition(&PutMode::Overwrite, false), None);
    assert_eq!(
        condition(&PutMode::Create, true),
        pair("if-none-match", "*")
    );
    assert_eq!(condition(&update, true), pair("if-match", "\"a\""));
    let google = "x-goog-if-generation-match";
    assert_eq!(condition(&PutMode::Create, false), pair(google, "0"));
    assert_eq!(condition(&update, false), pair(google, "7"));
}

#[test]
fn pauses_are_unlike_and_neither_long_nor_none() {
    let pauses: std::collections::BTreeSet<_> = (0..50).map(|_| jittered(PAUSE)).collect();
    assert!(pauses.len() > 10, "{pauses:?}");
    assert!(
        pauses
            .iter()
            .all(|pause| *pause >= PAUSE / 2 && *pause <= PAUSE)
    );
}
