#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use super::{Checksum, Credentials, Provider, parse};
use crate::object::retain::Mode;

fn s3(more: &str) -> String {
    format!(r#"{{"path":"s3://bucket/a/b","region":"eu-central-1"{more}}}"#)
}

#[test]
fn defaults_are_safe() {
    let options = parse(&s3("")).unwrap();
    assert_eq!(
        (options.bucket.as_str(), options.prefix.as_str()),
        ("bucket", "a/b")
    );
    assert_eq!(options.credentials, Credentials::Environment);
    assert_eq!(options.checksum, Checksum::Sha256);
    assert_eq!(options.timeout, Duration::from_secs(60));
    assert!(!options.allow_http && options.endpoint.is_none() && options.ca_file.is_none());
    let region = "eu-central-1".to_owned();
    let path_style = false;
    assert_eq!(options.provider, Provider::S3 { region, path_style });
}

#[test]
fn an_endpoint_of_its_own_has_the_bucket_in_the_path() {
    let text = r#"{"path":"s3://bucket","endpoint":"https://store:9000/"}"#;
    let options = parse(text).unwrap();
    assert_eq!(options.endpoint.as_deref(), Some("https://store:9000"));
    assert!(matches!(
        options.provider,
        Provider::S3 {
            path_style: true,
            ..
        }
    ));
    assert_eq!(options.prefix, "");
    let text = r#"{"path":"az://cont/p","account":"acc","credentials":"instance"}"#;
    let account = "acc".to_owned();
    assert_eq!(parse(text).unwrap().provider, Provider::Azure { account });
}

#[test]
fn what_holds_back_is_read() {
    let text = s3(r#","lock":"35d","lock_mode":"governance","rate_limit":"50MiB","parallel":1"#);
    let options = parse(&text).unwrap();
    let lock = options.lock.unwrap();
    assert_eq!(lock.span, Duration::from_secs(35 * 86_400));
    assert_eq!(lock.mode, Mode::Governance);
    assert_eq!((options.rate, options.parallel), (Some(50 << 20), 1));
    let plain = parse(r#"{"path":"gs://bucket/p"}"#).unwrap();
    assert_eq!(plain.provider, Provider::Gcs);
    assert_eq!((plain.lock, plain.rate, plain.parallel), (None, None, 3));
}

#[test]
fn the_name_of_a_database_may_stand_in_the_prefix() {
    let text = r#"{"path":"s3://bucket/HR%2F1/Löhne 2026","region":"r"}"#;
    let options = parse(text).unwrap();
    assert_eq!(options.prefix, "HR%2F1/Löhne 2026");
    let path = crate::object::bucket::path(&options.prefix);
    assert_eq!(path.as_ref(), options.prefix);
}

#[test]
fn an_option_that_is_not_known_or_not_right_is_named() {
    for (text, says) in [
        (s3(r#","pth":"a""#), "pth: unknown option"),
        ("{}".into(), "path: missing"),
        (r#"{"path":7}"#.into(), "path: must be a text"),
        (r#"{"path":"/a/b"}"#.into(), "path: must be like"),
        (r#"{"path":"ftp://bucket"}"#.into(), "path: must be like"),
        (
            r#"{"path":"s3://bucket/../x","region":"r"}"#.into(),
            "path: must be like",
        ),
        (
            r#"{"path":"s3://bucket//x","region":"r"}"#.into(),
            "path: must be like",
        ),
        (r#"{"path":"s3://bucket"}"#.into(), "region: missing"),
        (r#"{"path":"az://cont"}"#.into(), "account: missing"),
        (
            r#"{"path":"az://cont","account":"a","region":"r"}"#.into(),
            "region: is for s3://",
        ),
        (s3(r#","account":"a""#), "account: is for az://"),
        (s3(r#","endpoint":"http://store""#), "endpoint: plain http"),
        (s3(r#","endpoint":"store:9000""#), "endpoint: must"),
        (s3(r#","endpoint":"https://u:p@store""#), "endpoint: must"),
        (
            s3(r#","secret_access_key":"x""#),
            "secret_access_key: secrets do not belong",
        ),
        (s3(r#","lock":"35""#), "lock: must be days"),
        (s3(r#","lock":"0d""#), "lock: must be from 1d to 36500d"),
        (s3(r#","lock_mode":"governance""#), "lock_mode: says how"),
        (
            s3(r#","lock":"1d","lock_mode":"soft""#),
            "lock_mode: must be compliance or governance",
        ),
        (
            r#"{"path":"gs://bucket","lock":"35d"}"#.into(),
            "lock: is for s3:// and az://",
        ),
        (
            r#"{"path":"gs://bucket","account":"a"}"#.into(),
            "account: is for az://",
        ),
        (
            r#"{"path":"gs://bucket","checksum":"sha256"}"#.into(),
            "checksum: is for s3://",
        ),
        (s3(r#","rate_limit":"50""#), "rate_limit: must be bytes"),
        (s3(r#","rate_limit":"1kB""#), "rate_limit: must be bytes"),
        (s3(r#","parallel":4"#), "parallel: must be 1, 2 or 3"),
        (s3(r#","resume":true"#), "resume: unknown option"),
        (s3(r#","credentials":"sso""#), "credentials: must be"),
        (s3(r#","credentials":"file""#), "credentials_file: missing"),
        (
            s3(r#","credentials_file":"key""#),
            "credentials_file: must be an absolute file",
        ),
        (s3(r#","profile":"x""#), "profile: names a part"),
        (
            s3(&format!(
                r#","credentials":"instance","credentials_file":{:?}"#,
                std::env::temp_dir().join("k")
            )),
            "credentials_file: stands beside",
        ),
        (s3(r#","checksum":"md5""#), "checksum: must be"),
        (
            s3(r#","timeout_seconds":1"#),
            "timeout_seconds: must be from 5 to 600",
        ),
        (
            s3(r#","proxy":"http://u:p@proxy""#),
            "proxy: secrets do not belong",
        ),
        (
            s3(r#","allow_http":"yes""#),
            "allow_http: must be true or false",
        ),
        (r#"["path"]"#.into(), "options: must be a table"),
        (r#"{"path"#.into(), "options: not JSON"),
    ] {
        let fault = parse(&text).unwrap_err();
        assert!(fault.text.starts_with(says), "{says}: {}", fault.text);
    }
}
