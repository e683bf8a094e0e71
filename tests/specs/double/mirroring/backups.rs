//! Backups of mirrored databases: where they are refused, what they release, what a switch does.

use serde_json::json;
use twinset_tests::instance::mirroring::knobs::{How, SwitchAt, SwitchEnd, When};

use super::{A, B, Partners};
use crate::double::wire::{Client, Seen};

const WAITS: &str = "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'Payroll'";

#[test]
fn a_mirror_is_not_backed_up() {
    let pair = Partners::start();
    let mut b = pair.sql(B);
    b.fails("BACKUP DATABASE Payroll TO DISK = 'f.bak'", 954);
    b.fails("BACKUP LOG Payroll TO DISK = 'l.trn'", 954);
    pair.turn(B, |faults| faults.mirroring.backup_on_mirror = 3059);
    b.fails("BACKUP DATABASE Payroll TO DISK = 'f.bak'", 3059);
    assert_eq!(b.numbers("USE Payroll"), [954]);
}

#[test]
fn a_principal_keeps_its_tail() {
    let pair = Partners::start();
    let mut a = pair.sql(A);
    a.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    a.fails("BACKUP LOG Payroll TO DISK = 'l.trn' WITH NORECOVERY", 1468);
    a.fails(
        "BACKUP LOG Payroll TO DISK = 'l.trn' WITH STANDBY = 'u'",
        1468,
    );
    a.fails(
        "RESTORE DATABASE Payroll FROM DISK = 'f.bak' WITH REPLACE",
        3104,
    );
    // The number is not documented: it is a switch.
    pair.turn(A, |faults| faults.mirroring.tail_refusal = 3059);
    a.fails("BACKUP LOG Payroll TO DISK = 'l.trn' WITH NORECOVERY", 3059);
}

#[test]
fn a_log_backup_releases_nothing_that_the_mirror_has_not_got() {
    for (links, state) in [
        (json!({ "partner": false }), "DISCONNECTED"),
        (json!({}), "SUSPENDED"),
    ] {
        let pair = Partners::start();
        let mut a = pair.sql(A);
        a.works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
        pair.links(A, links);
        if state == "SUSPENDED" {
            a.works("ALTER DATABASE Payroll SET PARTNER SUSPEND");
        }
        assert_eq!(pair.seen(A), format!("PRINCIPAL {state} 1"));
        assert_eq!(a.cell(WAITS), "DATABASE_MIRRORING");
        a.write("Payroll", &["one", "two"]);
        a.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
        a.write("Payroll", &["three"]);
        assert_eq!(
            a.numbers("INSERT INTO Payroll.dbo.ledger VALUES ('four')"),
            [9002]
        );
        pair.links(A, json!({ "partner": true }));
        if state == "SUSPENDED" {
            a.works("ALTER DATABASE Payroll SET PARTNER RESUME");
        }
        a.write("Payroll", &["four"]);
        assert_eq!(a.cell(WAITS), "LOG_BACKUP");
    }
}

/// A backup of a principal that loses its role at this point.
fn struck(switch: SwitchAt, ends: SwitchEnd, sql: &str) -> (Partners, Client, Option<Vec<Seen>>) {
    let pair = Partners::witnessed();
    pair.sql(A)
        .works("BACKUP DATABASE Payroll TO DISK = 'base.bak'");
    pair.sql(A).write("Payroll", &["one"]);
    pair.turn(A, |faults| {
        faults.mirroring.switch = Some(switch);
        faults.mirroring.switch_ends = ends;
    });
    let mut client = Client::login(pair.lab.instances[A].port);
    client.batch(sql);
    let seen = match ends {
        SwitchEnd::Cut => {
            assert!(client.is_closed());
            None
        }
        _ => Some(client.tokens()),
    };
    (pair, client, seen)
}

const LOG: &str = "BACKUP LOG Payroll TO DISK = 'l.trn'";
/// The next one, on the new principal.
const NEXT: &str = "BACKUP LOG Payroll TO DISK = 'next.trn'";
const POSITION: &str = "SELECT last_log_backup_lsn FROM sys.database_recovery_status r JOIN \
                        sys.databases d ON d.database_id = r.database_id WHERE d.name = 'Payroll'";
const LOGS: &str = "SELECT COUNT(*) FROM msdb.dbo.backupset WHERE type = 'L'";

fn at(when: When) -> SwitchAt {
    SwitchAt {
        how: How::Failover,
        after_bytes: None,
        when: Some(when),
    }
}

fn after(how: How) -> SwitchAt {
    SwitchAt {
        how,
        after_bytes: Some(1),
        when: None,
    }
}

#[test]
fn a_running_backup_dies_with_the_role_and_records_nothing() {
    for how in [How::Failover, How::Isolate] {
        for sql in [LOG, "BACKUP DATABASE Payroll TO DISK = 'f.bak'"] {
            let (pair, ..) = struck(after(how), SwitchEnd::Cut, sql);
            assert!(pair.seen(B).starts_with("PRINCIPAL"), "{how:?}");
            let sets = "SELECT COUNT(*) FROM msdb.dbo.backupset";
            assert_eq!(pair.sql(A).cell(sets), "1", "{how:?} {sql}");
            assert!(pair.errors(A).contains(&3041), "{how:?} {sql}");
            pair.sql(B).works(NEXT);
        }
    }
}

#[test]
fn a_principal_that_is_cut_off_and_still_open_finishes_its_backup_on_its_own_branch() {
    let pair = Partners::start();
    pair.turn(A, |faults| {
        faults.mirroring.switch = Some(after(How::Force))
    });
    pair.sql(A)
        .works("BACKUP DATABASE Payroll TO DISK = 'f.bak'");
    assert_eq!(pair.seen(A), "PRINCIPAL DISCONNECTED 1");
    assert_eq!(pair.seen(B), "PRINCIPAL DISCONNECTED 2");
    pair.sql(B).fails(NEXT, 4214);
}

#[test]
fn the_moments_around_the_last_acknowledgement_differ_in_what_is_recorded() {
    for (when, recorded) in [
        (When::BeforeOpen, "0"),
        (When::Answered, "0"),
        (When::Recorded, "1"),
    ] {
        let (pair, ..) = struck(at(when), SwitchEnd::Cut, LOG);
        assert_eq!(pair.sql(A).cell(LOGS), recorded, "{when:?}");
        assert_eq!(pair.seen(B), "PRINCIPAL SYNCHRONIZED 2", "{when:?}");
        let released = pair
            .instance(B)
            .state()
            .database("Payroll")
            .unwrap()
            .released
            .len();
        assert_eq!(released.to_string(), recorded, "{when:?}");
        // The position of the log travelled with the data, as far as it was recorded.
        let position = pair.sql(B).cell(POSITION);
        let first = "SELECT first_lsn FROM msdb.dbo.backupset WHERE type = 'L'";
        pair.sql(B).works(NEXT);
        assert_eq!(pair.sql(B).cell(first), position, "{when:?}");
    }
}

#[test]
fn what_the_client_of_a_dying_backup_meets_is_a_switch_of_its_own() {
    let (pair, mut client, seen) = struck(after(How::Failover), SwitchEnd::Error, LOG);
    let errors: Vec<_> = seen
        .unwrap()
        .into_iter()
        .filter(|s| matches!(s, Seen::Error(_)))
        .collect();
    assert_eq!(errors.last(), Some(&Seen::Error(3013)));
    assert!(errors.len() > 1, "{errors:?}");
    // Its session lives.
    client.batch("SELECT 1");
    assert!(client.tokens().contains(&Seen::Row(1)));
    drop(pair);
    let (_pair, _, seen) = struck(at(When::Answered), SwitchEnd::Error, LOG);
    let seen = seen.unwrap();
    assert_eq!(seen[..2], [Seen::Error(952), Seen::Error(3013)]);
    let (_pair, mut client, seen) = struck(after(How::Failover), SwitchEnd::Killed, LOG);
    assert!(seen.unwrap().contains(&Seen::Error(596)));
    assert!(client.is_closed());
}
