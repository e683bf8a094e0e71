//! What people read when a staged backup fails, word for word.

use insta::assert_snapshot;
use serde_json::json;

use super::{folder, group, usual};
use crate::front::messages::said;

const BACKUP: &[&str] = &["backup", "payroll"];

#[test]
fn no_folder() {
    let host = usual();
    std::fs::remove_dir(folder(&host)).unwrap();
    assert_snapshot!(said(&host, BACKUP), @r"
    probe sql-a: Payroll
    error TW4041 [folder]/stage: the intent cannot be written
      cause: No such file or directory (os error 2)
      remedy: stage_dir must be a folder of mode 2770 and of a group that the agent's user
          > and SQL Server's are both in
    ");
}

#[test]
fn a_folder_that_sql_server_does_not_see() {
    let host = usual();
    let dir = folder(&host);
    group(
        &host,
        &format!("source = \"stage\"\nstage_dir = {dir:?}\nstage_dir_server = \"/nowhere/stage\""),
    );
    assert_snapshot!(said(&host, BACKUP), @r"
    probe sql-a: Payroll
    error TW4003 database Payroll: SQL Server error 3201: Cannot open backup device
          > '/nowhere/stage/twinset-[id]-1.bak'. Operating system error 2(The system cannot
          > find the file specified.).
      remedy: SQL Server cannot write to /nowhere/stage: stage_dir_server must name
          > stage_dir as SQL Server sees it, and SQL Server's user (mssql) must be able to
          > write there
    ");
}

#[test]
fn a_mirror_that_is_full_after_the_acknowledgement() {
    let mut host = usual();
    host.world.configure(|media| {
        media.fault(2, 2, json!({ "fail_write_at": 1_000_000, "only_index": 1 }));
    });
    assert_snapshot!(said(&host, BACKUP), @r"
    probe sql-a: Payroll
    error TW4043 [folder]/stage/twinset-[id]-1.bak: SQL Server's full backup of Payroll is
          > staged and not on the media yet
      cause: TW2010 [folder]/m2/f2: the medium is full: write: planted fault: No space left
          > on device (os error 28)
      cause: [n] bytes of family 2, Payroll, were taken
      remedy: make room on the volume or widen it, then run the backup again; leave the
          > staged files where they are: the next backup, or twinset media recover payroll,
          > takes them in
    ");
    let status = host.world.run(&["status", "payroll"]).ended(3).stdout;
    let line = "staged full backup of Payroll is not on the media yet: ";
    assert!(status.contains(line), "{status}");
}
