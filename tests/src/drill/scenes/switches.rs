//! The roles move: by plan, by the witness, by force, and back.

use std::io;

use serde_json::json;

use super::{FAST, fast, refusing};
use crate::drill::promises::{Ending, close};
use crate::drill::stage::Stage;
use crate::hosts::{A, B, Setup};

/// A planned failover between two logs.
pub(super) fn planned() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.write(A)?;
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    stage.service(A)?.state("not principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// The principal's machine is lost, the witness lets the mirror take over; the machine comes back.
pub(super) fn automatic() -> io::Result<Stage> {
    let setup = Setup {
        witness: true,
        ..fast()
    };
    let mut stage = Stage::protected(&setup)?;
    stage.write(A)?;
    let switch = stage.power(A, false)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    stage.power(A, true)?;
    stage.service(A)?.state("not principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// The principal's machine is lost without a witness, the mirror is forced; the machine comes back,
/// and its server yields.
pub(super) fn forced() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.power(A, false)?;
    let switch = stage.force(B)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    stage.power(A, true)?;
    stage.links(B, json!({ "partner": true }), "the partners meet again")?;
    stage.partner(B, "RESUME")?;
    stage.service(A)?.state("not principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// Both servers claim the role: each agent goes on with its own branch, until one yields.
pub(super) fn split() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.force(B)?;
    stage.write(A)?;
    stage.write(B)?;
    stage.service(A)?.state("both partners claim")?;
    stage.service(B)?.state("both partners claim")?;
    // The check of the forced side waits for a clear sight, or for the first backup.
    let forced = stage.take(B, "log")?;
    stage.check(
        "7.2 row 14",
        "the forced side checks, and begins its branch",
        [0, 3].contains(&forced.code),
    );
    let own = stage.take(A, "log")?;
    stage.check(
        "7.2 row 14",
        "the old principal's branch is kept, and said",
        own.code == 3,
    );
    stage.links(B, json!({ "partner": true }), "the partners meet again")?;
    stage.partner(B, "RESUME")?;
    stage.service(A)?.state("not principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// Over and back before the check was due; a backup was refused meanwhile.
pub(super) fn fail_back() -> io::Result<Stage> {
    let mut stage = Stage::protected(&refusing())?;
    stage.write(A)?;
    stage.fail_over(A)?;
    stage.write(B)?;
    stage.service(B)?.state("consistency check pending")?;
    let refused = stage.take(B, "log")?;
    let told = refused.object()["error"]["code"] == "TW6002";
    stage.check(
        "7.2 row 8",
        "refused: consistency check required",
        refused.code == 5 && told,
    );
    stage.fail_over(B)?;
    // At once, or behind a check where its own last backup was not seen yet when it switched.
    stage.service(A)?.state("protected")?;
    stage.log(A)?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}

/// Over and back, and the other agent took a log in between.
pub(super) fn there_and_back() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.write(A)?;
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    stage.service(A)?.state("not principal")?;
    let switch = stage.fail_over(B)?;
    stage.write(A)?;
    stage.resumed(A, switch)?;
    stage.service(B)?.state("not principal")?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}

/// Eleven switches in a row, faster than anybody looks.
pub(super) fn flapping() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    for round in 0..11 {
        let from = if round % 2 == 0 { A } else { B };
        stage.write(from)?;
        stage.fail_over(from)?;
    }
    stage.service(B)?.state("protected")?;
    stage.service(A)?.state("not principal")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// A failover in the middle of a full.
pub(super) fn in_a_backup() -> io::Result<Stage> {
    let mut stage = Stage::protected(&fast())?;
    stage.did("SQL-A will fail over in the middle of the next backup");
    stage.pair.struck(
        A,
        json!({ "how": "failover", "after_bytes": 400_000 }),
        "cut",
    )?;
    let ran = stage.take(A, "full")?;
    let said = ran.object()["error"]["code"] == "TW4064";
    stage.check(
        "7.2 row 12",
        "the backup ends and names the lost role",
        ran.code == 1 && said,
    );
    stage.look()?;
    stage.pair.calm()?;
    stage.write(B)?;
    stage.service(B)?.state("protected")?;
    close(&mut stage, &Ending::at(B))?;
    Ok(stage)
}

/// The clocks of the servers are far apart.
pub(super) fn clock_skew() -> io::Result<Stage> {
    let setup = Setup {
        group: FAST,
        ..Setup::default()
    };
    let mut stage = Stage::open(&setup)?;
    stage.did("the clock of SQL-B is 37 minutes ahead, that of SQL-A 11 minutes behind");
    stage.pair.order(B, json!({ "advance_clock": 37 * 60 }))?;
    stage.pair.order(A, json!({ "advance_clock": -11 * 60 }))?;
    stage.start(A)?;
    stage.start(B)?;
    stage.service(A)?.done("full backup")?;
    stage.write(A)?;
    stage.log(A)?;
    let switch = stage.fail_over(A)?;
    stage.write(B)?;
    stage.resumed(B, switch)?;
    stage.service(A)?.state("not principal")?;
    let switch = stage.fail_over(B)?;
    stage.write(A)?;
    stage.resumed(A, switch)?;
    close(&mut stage, &Ending::at(A))?;
    Ok(stage)
}
