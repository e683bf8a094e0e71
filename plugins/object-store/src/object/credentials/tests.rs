#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use object_store::aws::AwsCredential;
use object_store::azure::AzureCredential;

use super::{FromFile, Profile, Shown};

const TEXT: &str = "# keys\n[default]\naws_access_key_id = a\naws_secret_access_key=b = c\n\n\
                    [profile other]\nAWS_ACCESS_KEY_ID = x\naws_secret_access_key = y\n\
                    aws_session_token = z\n";

#[test]
fn profiles_are_found_by_name() {
    let of = |name| AwsCredential::of(&Profile::find(TEXT, name).unwrap()).unwrap();
    let found = of("default");
    assert_eq!(
        (found.key_id.as_str(), found.secret_key.as_str()),
        ("a", "b = c")
    );
    assert_eq!(found.token, None);
    assert_eq!(of("other").token.as_deref(), Some("z"));
    assert!(Profile::find(TEXT, "none").is_err_and(|text| text == "has no profile [none]"));
    let half = Profile::find("[default]\naws_access_key_id = a", "default").unwrap();
    assert!(AwsCredential::of(&half).is_err_and(|text| text == "lacks aws_secret_access_key"));
}

#[test]
fn azure_takes_a_key_or_a_signature() {
    let of = |line: &str| {
        AzureCredential::of(&Profile::find(&format!("[default]\n{line}"), "default").unwrap())
    };
    let key = of("azure_storage_account_key = a2V5").unwrap();
    assert!(matches!(key, AzureCredential::AccessKey(_)));
    let AzureCredential::SASToken(pairs) = of("azure_storage_sas_token = ?sv=1&sig=a%2Fb").unwrap()
    else {
        panic!("no signature");
    };
    assert_eq!(pairs[1], ("sig".to_owned(), "a/b".to_owned()));
    assert!(of("azure_storage_account_key = ???").is_err());
}

#[test]
fn a_file_is_read_again_when_it_was_changed_and_never_when_all_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, TEXT).unwrap();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o604);
    let provider = FromFile::<AwsCredential>::new(&file, "default");
    let told = provider.read().unwrap_err();
    assert!(
        told.ends_with("may be read by everybody; chmod o-rwx it"),
        "{told}"
    );
    mode(0o600);
    assert_eq!(provider.read().unwrap().key_id, "a");
    fs::write(&file, TEXT.replace("_id = a", "_id = new")).unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    fs::File::open(&file).unwrap().set_modified(later).unwrap();
    assert_eq!(provider.read().unwrap().key_id, "new");
    assert!(!format!("{provider:?}").contains("new"));
    fs::remove_file(&file).unwrap();
    assert!(provider.read().unwrap_err().contains("cannot be read"));
}
