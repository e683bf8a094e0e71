//! What a user is told when a store says no.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::server::Server;
use super::{mixed, with_each};
use crate::support::World;

/// Formats with changed options; gives the fault's whole text.
fn refused(server: &Server, change: impl Fn(&World, &mut Value)) -> String {
    let mut world = mixed(server, 1);
    let mut options = world.media.stores[&(2, 1)].clone();
    change(&world, &mut options);
    world.configure(|media| {
        media.stores.insert((2, 1), options);
    });
    let ran = world.json(&["media", "format", "payroll"]);
    assert_ne!(ran.code, 0);
    ran.object()["error"].to_string()
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_bucket_that_is_not_there_is_named_with_what_to_do() {
    with_each(|server| {
        let told = refused(server, |_, options| {
            let path = options["path"]
                .as_str()
                .unwrap()
                .replacen("://twinset", "://nobody", 1);
            options["path"] = json!(path);
        });
        assert!(
            told.contains("create the bucket"),
            "{}: {told}",
            server.name
        );
        assert!(told.contains("://nobody"), "{told}");
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn wrong_credentials_are_told_as_such_and_never_shown() {
    with_each(|server| {
        let told = refused(server, |world, options| {
            let file = world.path().join("keys");
            let text = "[default]\naws_access_key_id = testkey\naws_secret_access_key = wrongsecret\n\
                        azure_storage_account_key = d3JvbmdzZWNyZXQ=\n";
            fs::write(&file, text).unwrap();
            if server.name == "gcs" {
                // The right key under another name: its signature is nobody's.
                let known = options["credentials_file"].as_str().unwrap();
                let known = fs::read_to_string(known).unwrap();
                let wrong = known.replace("backup@twinset", "wrongsecret@twinset");
                fs::write(&file, wrong).unwrap();
            }
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            options["credentials_file"] = json!(file);
        });
        assert!(
            told.contains("refuses the credentials"),
            "{}: {told}",
            server.name
        );
        assert!(
            !told.contains("wrongsecret") && !told.contains("d3Jvbmdz"),
            "{told}"
        );
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_store_that_does_not_answer_is_told_by_its_endpoint() {
    with_each(|server| {
        let told = refused(server, |_, options| {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            let endpoint = options["endpoint"].as_str().unwrap();
            let address = server.address();
            options["endpoint"] = json!(endpoint.replace(address, &format!("127.0.0.1:{port}")));
        });
        assert!(
            told.contains("look at `endpoint`"),
            "{}: {told}",
            server.name
        );
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn malformed_options_and_plain_http_are_refused_before_anything_is_sent() {
    with_each(|server| {
        let told = refused(server, |_, options| options["rate_limit"] = json!("fast"));
        assert!(told.contains("rate_limit: must be bytes"), "{told}");
        let told = refused(server, |_, options| {
            options.as_object_mut().unwrap().remove("allow_http");
        });
        assert!(told.contains("endpoint: plain http"), "{told}");
    });
}
