#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
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

/// A file that its owner alone may read.
#[cfg(unix)]
fn make_private(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A file that administrators, SYSTEM and its owner alone may read.
#[cfg(windows)]
fn make_private(file: &Path, text: &str) {
    use std::io::Write;
    let mut made = twinset_win32::security::create_private(file).unwrap();
    made.write_all(text.as_bytes()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_that_all_may_read_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    make_private(&file, TEXT);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    let told = FromFile::<AwsCredential>::new(&file, "default").read();
    let told = told.unwrap_err();
    assert!(
        told.ends_with("may be read by everybody; chmod o-rwx it"),
        "{told}"
    );
}

#[test]
fn a_file_is_read_again_when_it_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    make_private(&file, TEXT);
    let provider = FromFile::<AwsCredential>::new(&file, "default");
    assert_eq!(provider.read().unwrap().key_id, "a");
    fs::write(&file, TEXT.replace("_id = a", "_id = new")).unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    let open = fs::File::options().write(true).open(&file).unwrap();
    open.set_modified(later).unwrap();
    drop(open);
    assert_eq!(provider.read().unwrap().key_id, "new");
    assert!(!format!("{provider:?}").contains("new"));
    fs::remove_file(&file).unwrap();
    assert!(provider.read().unwrap_err().contains("cannot be read"));
}
