//! What an operator reads when it does not work, word for word.

use std::fs;

use serde_json::Value;

use crate::server::{ROLE, Server};
use crate::support::World;
use crate::telling::{import, told_by};

/// A failed push in one text; ports and versions of the server do not matter.
#[track_caller]
fn said(world: &World, server: &Server, code: i32) -> String {
    let fault = world.json(&["catalog", "push"]).ended(code).object()["error"].clone();
    let causes = fault["causes"].as_array().unwrap().iter();
    let causes = causes.map(|cause| format!("\n  {}", cause.as_str().unwrap()));
    let word = |key: &str| fault[key].as_str().unwrap().to_owned();
    let text = format!(
        "{} {}\n{}{}\n{}",
        word("code"),
        word("object"),
        word("message"),
        causes.collect::<String>(),
        word("remedy")
    );
    let text = text.replace(&server.port.to_string(), "PORT");
    text.replace(&world.path().display().to_string(), "HOME")
}

fn with(world: &mut World, from: &str, to: &str) {
    world.configure(|media| media.tables = media.tables.replace(from, to));
}

#[test]
fn a_login_that_is_refused() {
    let server = Server::start();
    let mut world = told_by(&server, server.port);
    fs::write(world.path().join("pg-password"), "another").unwrap();
    let text = said(&world, &server, 1);
    insta::assert_snapshot!(text, @r#"
    TW5012 shared catalog twinset at 127.0.0.1:PORT
    it does not let this agent log in
      28P01: password authentication failed for user "twinset_agent"
    look at `user` and its password in [shared_catalog], and at pg_hba.conf of the server
    "#);
    assert!(!text.contains("another"), "a secret is never said");
    crate::server::password(world.path());
    with(&mut world, "encrypt", "database = \"nowhere\"\nencrypt");
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5012 shared catalog nowhere at 127.0.0.1:PORT
    it has no such database
      3D000: database "nowhere" does not exist
    create it (CREATE DATABASE), or correct `database` in [shared_catalog]
    "#);
}

#[test]
fn a_server_that_is_away() {
    let mut server = Server::start();
    let world = told_by(&server, server.port);
    server.stop();
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5011 shared catalog twinset at 127.0.0.1:PORT
    it does not answer
      Connection refused (os error 111)
    look at the server and the network; what waits is told when it answers again
    "#);
}

#[test]
fn a_server_that_cannot_be_trusted() {
    let mut server = Server::start();
    let mut world = told_by(&server, server.port);
    // No TLS at all.
    with(&mut world, "encrypt = \"off\"\n", "");
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5013 shared catalog twinset at 127.0.0.1:PORT
    its certificate does not prove that it is the one
      the server does not offer TLS
    give it a certificate for its name; `ca_file` names the authority, `server_name` the name, where they are others
    "#);
    let authority = server.encrypt("pg.example.com");
    // An authority that nobody knows here.
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5013 shared catalog twinset at 127.0.0.1:PORT
    its certificate does not prove that it is the one
      invalid peer certificate: UnknownIssuer
    give it a certificate for its name; `ca_file` names the authority, `server_name` the name, where they are others
    "#);
    let named = format!("ca_file = {authority:?}\n");
    world.configure(|media| media.tables.push_str(&named));
    // A certificate for another name.
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5013 shared catalog twinset at 127.0.0.1:PORT
    its certificate does not prove that it is the one
      invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("pg.example.com")
    give it a certificate for its name; `ca_file` names the authority, `server_name` the name, where they are others
    "#);
    world.configure(|media| media.tables.push_str("server_name = \"pg.example.com\"\n"));
    world.json(&["catalog", "push"]).ended(0);
    let encrypted = "SELECT count(*) FROM twinset.holding";
    assert_eq!(server.ask(encrypted), "1");
    fs::write(&authority, "no certificate").unwrap();
    let text = said(&world, &server, 1);
    let text = text.replace(&authority.display().to_string(), "CA");
    insta::assert_snapshot!(text, @r#"
    TW5013 shared catalog twinset at 127.0.0.1:PORT
    the authorities that it is judged by cannot be read
      no authority is known
    correct `ca_file` in [shared_catalog], or install the system's authorities
    "#);
}

#[test]
fn tables_that_the_agent_may_not_make_are_made_by_an_administrator() {
    let server = Server::start();
    server.sql("postgres", "ALTER DATABASE twinset OWNER TO postgres");
    let world = told_by(&server, server.port);
    insta::assert_snapshot!(said(&world, &server, 5), @r#"
    TW5014 shared catalog twinset at 127.0.0.1:PORT
    its tables are missing, and this agent may not make them
      permission denied for database twinset
    have an administrator of the database run what this prints: twinset catalog schema
    "#);
    let printed = world.run(&["catalog", "schema"]).ended(0).stdout;
    server.script(&printed);
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5012 shared catalog twinset at 127.0.0.1:PORT
    a right at its tables is missing
      42501: permission denied for schema twinset
    grant what `twinset catalog schema` names at its end
    "#);
    let grants = printed
        .lines()
        .filter_map(|line| line.strip_prefix("-- GRANT"));
    for grant in grants {
        server.ask(&format!("GRANT{}", grant.replace("twinset_agent", ROLE)));
    }
    world.json(&["catalog", "push"]).ended(0);
    import(&world, 2);
    world.json(&["catalog", "push"]).ended(0);
    assert_eq!(server.ask("SELECT count(*) FROM twinset.holding"), "2");
}

#[test]
fn tables_of_a_newer_release_are_left_alone() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    world.json(&["catalog", "push"]).ended(0);
    server.ask("UPDATE twinset.version SET version = 2");
    import(&world, 2);
    insta::assert_snapshot!(said(&world, &server, 5), @r#"
    TW5014 shared catalog twinset at 127.0.0.1:PORT
    its tables have version 2, this agent knows up to 1
    bring this agent to the release of the others; until then it keeps what it has to tell, and backups go on
    "#);
    assert_eq!(server.ask("SELECT count(*) FROM twinset.holding"), "1");
    world
        .json(&["catalog", "push", "--dry-run"])
        .ended(5)
        .failed("TW5014");
    server.ask("UPDATE twinset.version SET version = 1");
    let pushed = world.json(&["catalog", "push"]).ended(0).result();
    assert_eq!(pushed["events"], 2, "it was kept");
}

#[test]
fn a_server_without_room() {
    let server = Server::start();
    let world = told_by(&server, server.port);
    world.json(&["catalog", "push"]).ended(0);
    full(&server, true);
    import(&world, 2);
    insta::assert_snapshot!(said(&world, &server, 1), @r#"
    TW5015 shared catalog twinset at 127.0.0.1:PORT
    it has no room for what it is told
      53100: could not extend file: No space left on device
    make room at the PostgreSQL server; what waits is told then
    "#);
    full(&server, false);
    let pushed = world.json(&["catalog", "push"]).ended(0).result();
    assert_eq!(pushed["events"], 2);
}

/// Lets the server answer as one whose disk is full.
pub(crate) fn full(server: &Server, full: bool) {
    match full {
        true => server.ask(
            "CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               RAISE EXCEPTION 'could not extend file: No space left on device'
               USING ERRCODE = '53100'; END $$;
             CREATE TRIGGER full_disk BEFORE INSERT ON twinset.holding
               EXECUTE FUNCTION public.full()",
        ),
        false => server.ask("DROP FUNCTION public.full() CASCADE"),
    };
}

#[test]
fn nothing_is_configured() {
    let world = World::blank(1, 1);
    let fault: Value = world.json(&["catalog", "push"]).ended(2).failed("TW1007");
    assert_eq!(fault["message"], "no shared catalog is configured");
}
