#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Deed, parse};

fn told(text: &str) -> Vec<(String, String, Deed)> {
    let rules = parse(text).into_iter();
    rules
        .map(|rule| (rule.name, rule.prefix, rule.deed))
        .collect()
}

#[test]
fn rules_of_s3_are_read() {
    let text = "<LifecycleConfiguration>\
        <Rule><ID>eat</ID><Filter><And><Prefix>a/</Prefix></And></Filter><Status>Enabled</Status>\
        <Expiration><Days>30</Days></Expiration></Rule>\
        <Rule><ID>off</ID><Prefix></Prefix><Status>Disabled</Status>\
        <Expiration><Days>1</Days></Expiration></Rule>\
        <Rule><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Enabled</Status>\
        <Expiration><Days>1</Days></Expiration></Rule>\
        <Rule><ID>cold</ID><Status>Enabled</Status><Transition><Days>3</Days>\
        <StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>90</Days>\
        <StorageClass>GLACIER</StorageClass></Transition></Rule>\
        <Rule><ID>tidy</ID><Status>Enabled</Status><NoncurrentVersionExpiration>\
        <NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>\
        <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>\
        <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>\
        </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";
    assert_eq!(
        told(text),
        [
            (
                "eat".into(),
                "a/".into(),
                Deed::Removes("after 30 days".into())
            ),
            (
                "cold".into(),
                String::new(),
                Deed::Freezes("GLACIER after 90 days".into())
            ),
            ("tidy".into(), String::new(), Deed::Tidies),
        ]
    );
}

#[test]
fn rules_of_google_cloud_storage_are_read() {
    let text = "<LifecycleConfiguration>\
        <Rule><Action><Delete/></Action><Condition><Age>7</Age></Condition></Rule>\
        <Rule><Action><Delete/></Action><Condition><Age>7</Age><IsLive>false</IsLive></Condition></Rule>\
        <Rule><Action><AbortIncompleteMultipartUpload/></Action><Condition><Age>7</Age></Condition></Rule>\
        <Rule><Action><SetStorageClass>NEARLINE</SetStorageClass></Action>\
        <Condition><Age>7</Age></Condition></Rule></LifecycleConfiguration>";
    assert_eq!(
        told(text),
        [
            (
                "number 1".into(),
                String::new(),
                Deed::Removes("after 7 days".into())
            ),
            ("number 2".into(), String::new(), Deed::Tidies),
        ]
    );
}

#[test]
fn a_rule_reaches_what_lies_below_its_prefix_or_above() {
    let text = "<Rule><ID>x</ID><Prefix>sql/a</Prefix><Status>Enabled</Status>\
                <Expiration><Days>1</Days></Expiration></Rule>";
    let rule = parse(text).pop().unwrap();
    assert!(rule.reaches("sql/a/payroll") && rule.reaches("sql"));
    assert!(!rule.reaches("sql/b"));
}
