//! Credentials that nobody keeps: a cloud gives them to a machine, a container or a pod, for a while.

use std::fs;

use serde_json::Value;

use super::mixed_at;
use super::server::{Server, below, servers};
use crate::support::{World, generated};

/// A server of this kind, and what is told of who may be who there.
fn with_identities(scheme: &str) -> (Server, Value) {
    let mut servers = servers().into_iter().filter(|server| {
        let path = server.options["path"].as_str().unwrap();
        path.starts_with(scheme) && server.told("identities").is_some()
    });
    let server = servers.next().unwrap();
    let told = server.told("identities").unwrap().clone();
    (server, told)
}

/// Options without anything that says who asks, reached as it is told.
fn anonymous(mut options: Value, more: &[(&str, &Value)]) -> Value {
    let table = options.as_object_mut().unwrap();
    table.remove("credentials_file");
    table.remove("allow_http");
    for (key, value) in more {
        options[*key] = (*value).clone();
    }
    options
}

fn set(name: &str, value: &Value) -> String {
    format!("{name}={}", value.as_str().unwrap())
}

/// A set goes there and comes back, with this environment alone.
fn works(options: impl Fn() -> Value, environment: Vec<String>) {
    let mut world = mixed_at(1, options);
    world.environment = environment;
    world.json(&["media", "format", "payroll"]).ended(0);
    let files = generated(world.path(), 1, 20 << 20, 1);
    world.import(&files).ended(0);
    world.verify(0);
    fs::remove_dir_all(world.path().join("m1")).unwrap();
    world.exports(1, 3, &files);
}

fn refused(options: impl Fn() -> Value, environment: Vec<String>) -> String {
    let mut world: World = mixed_at(1, options);
    world.environment = environment;
    let ran = world.json(&["media", "format", "payroll"]);
    assert_ne!(ran.code, 0);
    ran.object()["error"].to_string()
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_web_identity_is_changed_for_credentials_of_its_role() {
    let (server, told) = with_identities("s3://");
    let tls = server.told("tls").unwrap();
    // Tokens are never asked for by plain http, so the store is reached by TLS as well.
    let options = || {
        let more = [("endpoint", &tls["endpoint"]), ("ca_file", &tls["ca_file"])];
        anonymous(server.place(), &more)
    };
    let role = |role: &Value| {
        vec![
            set("AWS_WEB_IDENTITY_TOKEN_FILE", &told["token_file"]),
            set("AWS_ROLE_ARN", role),
            set("AWS_ENDPOINT_URL_STS", &told["sts"]),
        ]
    };
    works(options, role(&told["role"]));
    let other = refused(options, role(&"arn:aws:iam::1:role/other".into()));
    assert!(other.contains("AccessDenied"), "{other}");
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_pod_gets_credentials_for_its_token() {
    let (server, told) = with_identities("s3://");
    let options = || anonymous(server.place(), &[("allow_http", &true.into())]);
    let with = |token: &Value| {
        vec![
            set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &told["pod"]),
            set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token),
        ]
    };
    works(options, with(&told["token_file"]));
    refused(options, with(&told["other_file"]));
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_managed_identity_gets_tokens_of_entra() {
    let (_, told) = with_identities("az://");
    let options = || {
        let managed = "instance".into();
        anonymous(below(told["options"].clone()), &[("credentials", &managed)])
    };
    let with = |header: &str, client: &Value| {
        vec![
            set("IDENTITY_ENDPOINT", &told["managed"]),
            format!("IDENTITY_HEADER={header}"),
            set("AZURE_CLIENT_ID", client),
        ]
    };
    let header = told["header"].as_str().unwrap();
    works(options, with(header, &told["client"]));
    refused(options, with("guessed", &told["client"]));
    // A machine may have several; another one than the one that is named has no rights here.
    refused(
        options,
        with(header, &"00000000-0000-0000-0000-000000000009".into()),
    );
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn workload_identity_and_secrets_of_an_application_get_tokens_of_entra() {
    let (_, told) = with_identities("az://");
    let options = || anonymous(below(told["options"].clone()), &[]);
    let with = |name: &str, value: &Value| {
        vec![
            // With the slash that AKS writes behind it.
            format!("{}/", set("AZURE_AUTHORITY_HOST", &told["authority"])),
            set("AZURE_TENANT_ID", &told["tenant"]),
            set("AZURE_CLIENT_ID", &told["client"]),
            set(name, value),
        ]
    };
    works(
        options,
        with("AZURE_FEDERATED_TOKEN_FILE", &told["token_file"]),
    );
    works(options, with("AZURE_CLIENT_SECRET", &told["secret"]));
    let wrong = refused(options, with("AZURE_CLIENT_SECRET", &"wrongsecret".into()));
    assert!(!wrong.contains("wrongsecret"), "{wrong}");
}
