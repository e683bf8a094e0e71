#![allow(clippy::unwrap_used, clippy::panic)]

use object_store::Error;
use twinset_plugin_api::Outcome;

use super::{failed, is_corrupt, is_expired};

fn answer(status: u16, code: &str) -> Error {
    let body = format!("<Error><Code>{code}</Code><Message>Some words.</Message></Error>");
    Error::Generic {
        store: "S3",
        source: format!("Server returned non-2xx status code: {status} Words: {body}").into(),
    }
}

#[test]
fn each_class_of_failure_has_its_outcome_and_remedy() {
    for (status, code, outcome, remedy) in [
        (404, "NoSuchBucket", Outcome::NO_MEDIUM, "create the bucket"),
        (507, "", Outcome::END_OF_MEDIUM, "no space or quota"),
        (
            403,
            "QuotaExceeded",
            Outcome::END_OF_MEDIUM,
            "no space or quota",
        ),
        (
            403,
            "RequestTimeTooSkewed",
            Outcome::PERMANENT,
            "set the host's clock",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            Outcome::PERMANENT,
            "look at `credentials`",
        ),
        (
            403,
            "InvalidAccessKeyId",
            Outcome::PERMANENT,
            "look at `credentials`",
        ),
        (400, "ExpiredToken", Outcome::TRANSIENT, "renew them"),
        (503, "SlowDown", Outcome::TRANSIENT, "throttling"),
        (429, "", Outcome::TRANSIENT, "throttling"),
        (
            500,
            "InternalError",
            Outcome::TRANSIENT,
            "with the next run",
        ),
        (
            400,
            "BadDigest",
            Outcome::TRANSIENT,
            "did not arrive as they were sent",
        ),
        (
            301,
            "PermanentRedirect",
            Outcome::PERMANENT,
            "correct `region`",
        ),
        (
            403,
            "ObjectLocked",
            Outcome::WRITE_PROTECTED,
            "locked against changes",
        ),
        (
            400,
            "SomethingElse",
            Outcome::PERMANENT,
            "400 SomethingElse (Some words)",
        ),
    ] {
        let fault = failed("put", "a/b", &answer(status, code));
        assert_eq!(fault.outcome, outcome, "{status} {code}");
        assert!(
            fault.text.starts_with("put a/b: the store answered"),
            "{}",
            fault.text
        );
        assert!(fault.text.contains(remedy), "{}", fault.text);
    }
    assert!(is_corrupt(&answer(400, "BadDigest")) && !is_corrupt(&answer(500, "InternalError")));
}

#[test]
fn a_bare_400_is_what_answers_a_question_for_a_head_with_expired_credentials() {
    let told = |text: &str| Error::Generic {
        store: "S3",
        source: format!("Server returned non-2xx status code: {text}").into(),
    };
    let bare = told("400 Bad Request: ");
    assert!(is_expired(&bare));
    let fault = failed("look at", "a", &bare);
    assert_eq!(fault.outcome, Outcome::TRANSIENT);
    assert!(fault.text.contains("renew them"), "{}", fault.text);
    assert!(!is_expired(&told(
        "400 Bad Request: {\"message\":\"no such identity\"}"
    )));
    assert!(!is_expired(&told("403 Forbidden: ")));
}

#[test]
fn a_refused_right_and_a_missing_object_are_told_apart() {
    let denied = Error::PermissionDenied {
        path: "a".into(),
        source: "status code: 403 Forbidden: <Code>AccessDenied</Code>".into(),
    };
    let fault = failed("put", "a", &denied);
    assert_eq!(fault.outcome, Outcome::WRITE_PROTECTED);
    assert!(fault.text.contains("lack this right"), "{}", fault.text);
    let missing = Error::NotFound {
        path: "a".into(),
        source: "status code: 404 Not Found: <Code>NoSuchKey</Code>".into(),
    };
    assert_eq!(failed("get", "a", &missing).outcome, Outcome::NOT_FOUND);
}

#[test]
fn a_store_that_never_answered_is_told_by_its_innermost_cause() {
    let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
    let error = Error::Generic {
        store: "S3",
        source: Box::new(cause),
    };
    let fault = failed("list", "x", &error);
    assert_eq!(fault.outcome, Outcome::TRANSIENT);
    assert!(
        fault
            .text
            .starts_with("list x: connection refused; look at `endpoint`"),
        "{}",
        fault.text
    );
}
