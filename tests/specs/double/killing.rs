//! KILL: who may, whom, and what is seen of it.

use std::time::{Duration, Instant};

use super::sql::Pair;
use super::wire::{Client, Seen};

const SLOW: &str = "BACKUP DATABASE Payroll TO DISK = 'p.bak'";

fn faults(rollback_delay_ms: u64) -> twinset_tests::instance::faults::Faults {
    twinset_tests::instance::faults::Faults {
        bytes_per_second: Some(1 << 18),
        rollback_delay_ms,
        ..Default::default()
    }
}

/// Waits for a request with this command and returns its session.
#[track_caller]
fn working(sql: &mut super::sql::Sql, command: &str) -> String {
    let query = format!("SELECT session_id FROM sys.dm_exec_requests WHERE command = '{command}'");
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(row) = sql.rows(&query).first() {
            return row[0].clone();
        }
        assert!(Instant::now() < until, "nobody runs {command}");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_backup_rolls_back_in_view_and_is_gone_then() {
    let pair = Pair::start();
    pair.lab.instances[0].instance.set_faults(faults(500));
    let mut sql = pair.sql(0);
    let mut victim = Client::login(pair.lab.instances[0].port);
    victim.batch(SLOW);
    let session = working(&mut sql, "BACKUP DATABASE");
    let status = format!("KILL {session} WITH STATUSONLY");
    assert_eq!(sql.numbers(&status), [6120]);
    sql.works(&format!("KILL {session}"));
    assert_eq!(working(&mut sql, "KILLED/ROLLBACK"), session);
    assert_eq!(sql.numbers(&status), [0]);
    assert!(victim.tokens().contains(&Seen::Error(596)));
    assert!(victim.is_closed());
    assert_eq!(sql.numbers(&format!("KILL {session}")), [6106]);
    assert_eq!(sql.cell("SELECT COUNT(*) FROM msdb.dbo.backupset"), "0");
}

#[test]
fn only_who_may_kills_and_only_users_are_killed() {
    let pair = Pair::start();
    let mut sql = pair.sql(0);
    let mut reader = pair.sql_as(0, "reader", "Reader-1");
    let mut operator = pair.sql_as(0, "operator", "Operator-1");
    assert_eq!(reader.numbers("KILL 51"), [6102]);
    assert_eq!(operator.numbers("KILL 9999"), [6106]);
    assert_eq!(sql.numbers("KILL 12"), [6107]);
    assert_eq!(sql.numbers("KILL 0"), [6101]);
    assert_eq!(sql.numbers("KILL 'soon'"), [6101]);
    assert_eq!(sql.numbers("BEGIN TRAN KILL 9999 ROLLBACK"), [6106]);
    assert_eq!(sql.numbers("BEGIN TRAN KILL 51 ROLLBACK"), [6115]);
}
