//! The session itself changes: it appears, goes, is made anew, belongs to two groups, lacks quorum.

use std::fs;
use std::io;

use serde_json::json;

use super::fast;
use crate::drill::promises::{Ending, close};
use crate::drill::stage::Stage;
use crate::hosts::said::Said;
use crate::hosts::{A, B, Setup};

/// Addresses of the mirroring endpoints.
const AT_A: &str = "TCP://sql-a:5022";
const AT_B: &str = "TCP://sql-b:5023";

/// The principal loses the witness, then its partner: without quorum it serves nobody.
pub(super) fn witness_lost() -> io::Result<Stage> {
    let setup = Setup {
        witness: true,
        ..fast()
    };
    let mut stage = Stage::protected(&setup)?;
    stage.links(A, json!({ "witness": false }), "the witness is lost")?;
    stage.write(A)?;
    stage.log(A)?;
    stage.links(A, json!({ "partner": false }), "the partner is lost too")?;
    // The catalog views of such a principal show nothing; whoever opens the database meets 955.
    let refused = stage.take(A, "log")?;
    let told = refused.object()["error"]["code"] == "TW4061";
    stage.check(
        "7.2 row 13",
        "without quorum nothing is backed up (TW4061)",
        refused.code == 5 && told,
    );
    let both = json!({ "witness": true, "partner": true });
    stage.links(A, both, "partner and witness are back")?;
    stage.write(A)?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}

/// The session is ended; the principal goes on alone; later both are partners again.
pub(super) fn mirror_broken() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.partner(A, "OFF")?;
    stage.write(A)?;
    stage.service(A)?.state("protected")?;
    stage.log(A)?;
    // The mirror has missed that log: SQL Server wants it restored there first.
    seed(&mut stage, true)?;
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// A database that stood alone becomes mirrored, seeded from the sets of its agent.
pub(super) fn newly_mirrored() -> io::Result<Stage> {
    let setup = Setup {
        mirrored: false,
        ..fast()
    };
    let mut stage = Stage::served(&setup)?;
    stage.service(A)?.done("full backup")?;
    stage.write(A)?;
    stage.log(A)?;
    seed(&mut stage, false)?;
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// A mirror is made of the newest sets, and the session of both; sql-a's agent sees and checks it.
fn seed(stage: &mut Stage, over: bool) -> io::Result<()> {
    let mut line =
        "restore run Payroll --group payroll --as Payroll --on sql-b --norecovery".to_owned();
    if over {
        line.push_str(" --replace --no-tail");
    }
    let seeded = stage.types(B, &line)?;
    if seeded.code != 0 {
        return Err(io::Error::other(format!("no mirror: {}", seeded.stdout)));
    }
    stage.partner(B, AT_A)?;
    stage.partner(A, AT_B)?;
    stage.service(A)?.until(
        "a warning: newly mirrored",
        |said| matches!(said, Said::Warning(text) if text.contains("mirrored")),
    )?;
    stage.service(A)?.state("protected")?;
    // Whether it saw the time without a session or not.
    stage.settled(B, "not-principal")
}

/// A second group protects the other partner of the same session.
pub(super) fn both_protected() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.did("a second group protects Payroll on sql-b");
    let file = stage.pair.path().join("groups.d/other.toml");
    let text = "[group]\nname = \"other\"\npartners = [\"sql-b\"]\ndatabases = [\"Payroll\"]\n\
                media_set = \"payroll\"\n[failover]\npoll = \"1s\"\n";
    fs::write(&file, text)?;
    stage.service(B)?.state("also protected by group")?;
    stage.did("and goes again");
    fs::remove_file(&file)?;
    stage.service(B)?.state("not principal")?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}
