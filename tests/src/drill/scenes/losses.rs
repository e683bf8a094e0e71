//! Something dies or is full: agents at any moment, disks.

use std::io;

use serde_json::json;

use super::fast;
use crate::drill::promises::{Ending, close};
use crate::drill::stage::Stage;
use crate::hosts::said::Said;
use crate::hosts::{A, B, Setup};

/// Slow enough that a backup can be met in its middle.
const SLOW: u64 = 1 << 20;
/// A disk that is full behind so many bytes of a section.
const FULL_DISK: &str = "fail_write_at = 500000";

fn begins(what: &'static str) -> impl FnMut(&Said) -> bool {
    move |said| matches!(said, Said::Begins(job, _) if job == what)
}

/// The agent dies in a full, in a check, behind a failover, and comes back each time.
pub(super) fn agent_killed() -> io::Result<Stage> {
    let mut stage = Stage::open(&fast())?;
    stage.did("SQL-A sends slowly");
    let slow = json!({ "faults": { "bytes_per_second": SLOW } });
    stage.pair.order(A, slow)?;
    stage.start(A)?;
    stage.start(B)?;
    stage.service(A)?.until("a full", begins("full backup"))?;
    stage
        .pair
        .until(A, "a backup that runs", |told| told["busy"] == true)?;
    stage.kill(A);
    stage.pair.calm()?;
    stage.start(A)?;
    stage.service(A)?.done("full backup")?;
    stage.write(A)?;
    stage.log(A)?;
    stage.write(A)?;
    stage.fail_over(A)?;
    stage.write(B)?;
    stage.service(B)?.until("a check", begins("check"))?;
    stage.kill(B);
    stage.start(B)?;
    stage.settled(B, "protected")?;
    stage.kill(A);
    stage.start(A)?;
    stage.settled(A, "not-principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// One mirror's disk is full and all are required: the backup fails, nothing is released; then there
/// is room again.
pub(super) fn disk_full() -> io::Result<Stage> {
    let setup = Setup {
        faulty: [Some(FULL_DISK), None],
        ..fast()
    };
    let mut stage = Stage::served(&setup)?;
    stage.service(A)?.until(
        "a full that fails",
        |said| matches!(said, Said::Ended(what, Some(1), Some(_)) if what == "full backup"),
    )?;
    let released = stage.told(A)?["released"].clone();
    stage.check(
        "P1",
        "a backup that failed has released nothing",
        released == json!([]),
    );
    stage.did("there is room again on mirror 2 of sql-a");
    stage.pair.mend(A)?;
    stage.service(A)?.until(
        "the change",
        |said| matches!(said, Said::Note(text) if text.contains("read again")),
    )?;
    let full = stage.take(A, "full")?;
    stage.check("P2", "the next full succeeds", full.code == 0);
    stage.write(A)?;
    stage.log(A)?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}

/// One mirror's disk is full and one is enough: the backup goes on with the other and says so; with
/// room again the mirror is brought back in step.
pub(super) fn disk_full_degraded() -> io::Result<Stage> {
    let setup = Setup {
        faulty: [Some(FULL_DISK), None],
        set: "min_mirrors = 1",
        ..fast()
    };
    let mut stage = Stage::served(&setup)?;
    stage.service(A)?.until(
        "a full on one mirror",
        |said| matches!(said, Said::Ended(what, Some(3), _) if what == "full backup"),
    )?;
    stage.write(A)?;
    stage.log(A)?;
    stage.did("there is room again on mirror 2 of sql-a");
    stage.pair.mend(A)?;
    stage.service(A)?.until(
        "the change",
        |said| matches!(said, Said::Note(text) if text.contains("read again")),
    )?;
    for key in ["payroll", "payroll-log"] {
        let repaired = stage.types(A, &format!("media repair {key}"))?;
        stage.check(
            "P3",
            format!("the mirror of {key} is in step again"),
            repaired.code == 0,
        );
    }
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}
