//! Connections that end at any byte, servers that never end a statement, errors with success.

use std::time::{Duration, Instant};

use twinset_tests::instance::faults::Faults;

use super::sql::{Pair, Sql};
use super::wire::{Client, Seen, tokens};

const BACKUP: &str = "BACKUP DATABASE Payroll TO DISK = 'p.bak' WITH STATS = 50";

fn turned(faults: Faults) -> (Pair, Client) {
    let pair = Pair::start();
    pair.lab.instances[0].instance.set_faults(faults);
    let client = Client::login(pair.lab.instances[0].port);
    (pair, client)
}

/// Everything that comes before the connection is closed.
fn all(client: &mut Client) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((last, more)) = client.packet() {
        assert!(!last, "the message ended");
        bytes.extend(more);
    }
    bytes
}

/// Waits until no backup runs any more.
#[track_caller]
fn quiet(sql: &mut Sql) {
    let until = Instant::now() + Duration::from_secs(30);
    let busy = "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE command LIKE 'BACKUP%'";
    while sql.cell(busy) != "0" {
        assert!(Instant::now() < until, "the backup hangs");
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_can_be_cut_at_any_byte() {
    let whole = {
        let (_pair, mut client) = turned(Faults::default());
        client.batch(BACKUP);
        client.answer().1.len() as u64
    };
    // The last message bears times, whose digits may be fewer the next time.
    for cut in [0, 1, 7, whole / 3, whole / 2, whole - 16] {
        let (pair, mut client) = turned(Faults {
            cut_reply_after: Some(cut),
            ..Faults::default()
        });
        client.batch(BACKUP);
        assert_eq!(all(&mut client).len() as u64, cut);
        pair.lab.instances[0].instance.set_faults(Faults::default());
        let mut sql = pair.sql(0);
        // Cut behind the transfer or before it, the server answers others.
        assert_eq!(
            sql.cell("SELECT COUNT(*) FROM sys.databases WHERE name = 'Payroll'"),
            "1"
        );
    }
}

#[test]
fn a_client_lost_in_the_middle_ends_the_backup_or_not_as_the_switch_says() {
    for goes_on in [false, true] {
        let (pair, mut client) = turned(Faults {
            lose_client_after_bytes: Some(1 << 18),
            lost_client_goes_on: goes_on,
            ..Faults::default()
        });
        client.batch(BACKUP);
        let bytes = all(&mut client);
        assert!(!tokens(&bytes).contains(&Seen::Info(3014)));
        let mut sql = pair.sql(0);
        quiet(&mut sql);
        let sets = sql.cell("SELECT COUNT(*) FROM msdb.dbo.backupset");
        assert_eq!(sets, u8::from(goes_on).to_string());
    }
}

#[test]
fn success_without_an_end_can_be_taken_back() {
    let (_pair, mut client) = turned(Faults {
        never_done: true,
        ..Faults::default()
    });
    client.batch(BACKUP);
    let mut seen = Vec::new();
    while !tokens(&seen).contains(&Seen::Info(3014)) {
        seen.extend(client.packet().unwrap().1);
    }
    client.attention();
    let _rest = client.answer();
    assert_eq!(client.tokens(), [Seen::Done(0x20, 0xFD)]);
}

#[test]
fn an_error_may_come_before_success() {
    let (pair, _client) = turned(Faults {
        error_then_success: Some(3203),
        ..Faults::default()
    });
    let mut sql = pair.sql(0);
    let said = sql.numbers("BACKUP DATABASE Payroll TO DISK = 'p.bak'");
    assert_eq!(said, [4035, 4035, 3203, 3014]);
    assert_eq!(sql.cell("SELECT COUNT(*) FROM msdb.dbo.backupset"), "1");
}

#[test]
fn a_backup_stopped_after_the_last_acknowledgement_stays_taken() {
    let (pair, mut client) = turned(Faults {
        never_done: true,
        ..Faults::default()
    });
    client.batch(BACKUP);
    let mut sql = pair.sql(0);
    let until = Instant::now() + Duration::from_secs(10);
    while sql.cell("SELECT COUNT(*) FROM msdb.dbo.backupset") == "0" {
        assert!(Instant::now() < until, "nothing is recorded");
        std::thread::yield_now();
    }
    drop(client);
    quiet(&mut sql);
    pair.lab.instances[0].instance.set_faults(Faults::default());
    sql.works("BACKUP LOG Payroll TO DISK = 'l.trn'");
}

#[test]
fn a_device_set_can_be_refused_by_code() {
    let (pair, _client) = turned(Faults::default());
    let mut sql = pair.sql(0);
    let faults = Faults {
        vdi: twinset_tests::instance::faults::VdiFaults {
            open_code: Some(0x8007_0002),
            ..Default::default()
        },
        ..Faults::default()
    };
    pair.lab.instances[0].instance.set_faults(faults);
    sql.fails("BACKUP DATABASE Payroll TO VIRTUAL_DEVICE = 'x'", 3201);
}
