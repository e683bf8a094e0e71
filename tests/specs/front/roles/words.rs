//! What people read of the roles.

use insta::assert_snapshot;
use serde_json::json;

use super::{A, B, Pair, Setup};

const FULL: &[&str] = &["backup", "payroll"];

#[test]
fn not_principal() {
    let pair = Pair::start();
    assert_snapshot!(pair.said(B, FULL), @r"
    error 954 database Payroll: sql-a is principal, sql-b holds the mirror
      remedy: the agent of sql-a backs it up; --if-principal passes over it here
    ");
}

#[test]
fn a_principal_that_is_not_seen() {
    let mut pair = Pair::start();
    pair.order(A, json!({ "running": false }));
    assert_snapshot!(pair.said(B, FULL), @r"
    error 954 database Payroll: sql-b holds the mirror, and SQL-A is not seen to be
          > principal
      cause: TW4001 sql-a (localhost:PORT): cannot connect to SQL Server
      remedy: bring sql-a back; if it is lost for good, force the mirror into service
    ");
}

#[test]
fn a_partner_that_is_not_seen() {
    let mut pair = Pair::start();
    pair.order(B, json!({ "running": false }));
    assert_snapshot!(pair.said(A, FULL), @r"
    warning Payroll: the mirroring session is DISCONNECTED: log that was backed up
          > cannot be truncated meanwhile
    warning Payroll: principal here; sql-b could not be asked: TW4001 cannot connect to
          > SQL Server
    probe sql-a: Payroll
    ");
}

#[test]
fn roles_that_change() {
    let mut pair = Pair::start();
    let session = json!({ "database": "Payroll", "fail_over_to": "pending" });
    pair.order(A, json!({ "session": session }));
    assert_snapshot!(pair.said(A, FULL), @r"
    error TW4061 database Payroll: sql-a and sql-b are changing their roles just now
      remedy: try again in a moment
    ");
}

#[test]
fn two_principals() {
    let mut pair = Pair::of(&Setup {
        how: "profile = \"dpm\"",
        ..Setup::default()
    });
    pair.order(A, json!({ "force": "Payroll" }));
    assert_snapshot!(pair.said(A, FULL), @r#"
    error TW4062 database Payroll: sql-a and sql-b both claim to be principal
      cause: one of them was forced into service while the other was cut off
      remedy: let them meet, or end the session on the side that is given up; profile =
          > "follow" backs both branches up meanwhile
    "#);
}

#[test]
fn one_of_two_branches() {
    let mut pair = Pair::start();
    pair.order(A, json!({ "force": "Payroll" }));
    assert_snapshot!(pair.said(B, FULL), @r"
    warning Payroll: the mirroring session is DISCONNECTED: log that was backed up
          > cannot be truncated meanwhile
    warning Payroll: sql-a claims to be principal as well: this is one of two branches
    probe sql-b: Payroll
    error TW4065 database Payroll: one of two branches: sql-b and sql-a both claim to
          > be principal
      cause: each agent goes on in its own media set; the branches are never joined
      remedy: decide which side is kept, and let the other one yield
    ");
}

#[test]
fn no_quorum() {
    let mut pair = Pair::of(&Setup {
        witness: true,
        ..Setup::default()
    });
    pair.links(A, json!({ "partner": false, "witness": false }));
    assert_snapshot!(pair.said(A, FULL), @r#"
    warning Payroll: the mirroring session is DISCONNECTED: log that was backed up
          > cannot be truncated meanwhile
    warning Payroll: sql-b claims to be principal as well: this is one of two branches
    probe sql-a: Payroll
    error TW4061 database Payroll: SQL Server error 955: Database "Payroll" is enabled
          > for Database Mirroring, but the database lacks quorum: the database cannot
          > be opened.
      remedy: the principal sees neither its partner nor the witness and serves nobody:
          > bring one of them back, or back the database up on the other partner if
          > that is principal now
    "#);
}

#[test]
fn no_pair() {
    let pair = Pair::of(&Setup {
        addresses: ["TCP://10.0.0.1:5022", "TCP://10.0.0.2:5022"],
        group: "[failover]\nallow_ip = false",
        ..Setup::default()
    });
    assert_snapshot!(pair.said(A, FULL), @r"
    error TW4063 database Payroll: the session names its partner by an IP address,
          > TCP://10.0.0.2:5022
      remedy: make the session anew with names; or set allow_ip = true in [failover]
    ");
}

#[test]
fn a_role_lost_on_the_way() {
    let mut pair = Pair::start();
    pair.struck(
        A,
        json!({ "how": "failover", "when": "before-open" }),
        "error",
    );
    assert_snapshot!(pair.said(A, FULL), @r"
    probe sql-a: Payroll
    error TW4064 database Payroll: the roles were switched while it was backed up:
          > sql-b is principal now
      cause: role sequence 1 when it began, 2 now
      cause: then TW4061: SQL Server error 952: Database 'Payroll' is in transition.
          > Try the statement later.
      remedy: nothing of it was kept, and SQL Server released no log for it; the agent
          > of the principal takes the next backup
    ");
}

#[test]
fn a_role_lost_behind_the_last_acknowledgement() {
    let mut pair = Pair::start();
    pair.struck(A, json!({ "how": "failover", "when": "answered" }), "error");
    assert_snapshot!(pair.said(A, FULL), @r"
    probe sql-a: Payroll
    error TW4064 database Payroll, position 1: the roles were switched while it was
          > backed up: sql-b is principal now
      cause: role sequence 1 when it began, 2 now
      cause: the set is sealed on every mirror, but SQL Server's verdict is not success
      cause: error 952: Database 'Payroll' is in transition. Try the statement later.
      cause: msdb does not know the set
      cause: it holds log sequence numbers 39000000172000001 to 39000000179200001
      remedy: the set is kept and restorable: media recover confirms it, or proves that
          > it never counted; the agent of the principal takes the next backup
    ");
}
