//! The second part: two hosts with an agent each, and a database that moves between them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::show::{Show, Shown};
use crate::hosts::programs::Programs;
use crate::hosts::said::{Said, Service};
use crate::hosts::{A, B, Pair, Setup};
use crate::instance::moment::Moment;

/// Bytes of data pages of the database.
const DATABASE_BYTES: u64 = 48 << 20;
/// How fast SQL Server sends while the roles are switched: the backup takes some seconds.
const SLOW_BYTES_PER_SECOND: u64 = 12 << 20;
/// The group: partners are asked every second, nothing is taken before the check.
const GROUP: &str = "[failover]\npoll = \"1s\"\ncheck_delay = \"30m\"\nbefore_check = \"refuse\"";
/// Where the copy of yesterday comes to stand.
const COPY: &str = "Payroll_Before";

/// Two hosts, their services, and what was written.
pub(super) struct Partners {
    pair: Pair,
    services: [Service; 2],
    /// The second up to which the copy shall reach.
    before: Moment,
    /// What had been written by then.
    known: Vec<String>,
}

/// Takes all steps.
pub(super) fn all(folder: &Path, show: &mut Show) -> io::Result<()> {
    let folder = folder.join("partners");
    fs::create_dir(&folder)?;
    let mut partners = begin(&folder, show)?;
    work(&mut partners, show)?;
    switch(&mut partners, show)?;
    pending(&mut partners, show)?;
    check(&mut partners, show)?;
    fail_back(&mut partners, show)?;
    restore(&mut partners, show)?;
    end(partners, show)
}

fn run(pair: &Pair, show: &Show, agent: &str, line: &str) -> io::Result<Shown> {
    let words: Vec<&str> = line.split(' ').collect();
    let shown = format!("twinset {line}");
    show.run_on(agent, &shown, &mut pair.command(agent, &words))
}

/// Kind and state of the sets on an agent's media.
fn sets(pair: &Pair, agent: &str, media_set: &str) -> io::Result<Vec<String>> {
    let shown = pair.json(agent, &["media", "show", media_set])?.object();
    let none = Vec::new();
    let sets = shown["result"]["sets"].as_array().unwrap_or(&none).iter();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    Ok(sets
        .map(|set| format!("{} {}", word(&set["kind"]), word(&set["state"])))
        .collect())
}

/// Everything on an agent's media is whole: published, or declared void.
fn nothing_half_done(pair: &Pair, agent: &str) -> io::Result<bool> {
    let all = [
        sets(pair, agent, "payroll")?,
        sets(pair, agent, "payroll-log")?,
    ]
    .concat();
    let whole = |set: &String| set.ends_with(" published") || set.ends_with(" void");
    Ok(all.iter().all(whole))
}

fn begin(folder: &Path, show: &mut Show) -> io::Result<Partners> {
    show.step(
        "Two hosts, one mirrored database, an agent on each",
        "SQL-A is principal, SQL-B its mirror. Both agents have the same files but for their name; \
         each writes media of its own, which the other can read.",
    );
    let programs = Programs::of_this_build()?.installed(&folder.join("lib"))?;
    let setup = Setup {
        group: GROUP,
        size: DATABASE_BYTES,
        ..Setup::default()
    };
    let pair = Pair::set_up(folder, programs, &setup)?;
    for agent in [A, B] {
        run(&pair, show, agent, "media format payroll")?;
    }
    show.text("sql-a$ twinset run &          sql-b$ twinset run &");
    let (mut a, mut b) = (pair.service(A)?, pair.service(B)?);
    let (_, idle) = b.state("not principal")?;
    show.text(&format!("sql-b's agent says: {idle}"));
    let (_, full) = a.done("full backup")?;
    show.text(&format!("sql-a's agent says: {full}"));
    let [on_a, on_b] = [sets(&pair, A, "payroll")?, sets(&pair, B, "payroll")?];
    show.check(
        "the principal's agent has taken the first full by itself, the other one nothing",
        on_a == ["full published"] && on_b.is_empty(),
    );
    Ok(Partners {
        pair,
        services: [a, b],
        before: now()?,
        known: Vec::new(),
    })
}

/// The time of this machine, in whole seconds: what is typed as `--to`.
fn now() -> io::Result<Moment> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_err(io::Error::other)?.as_secs();
    let moment = i64::try_from(seconds).ok();
    let moment = moment.and_then(|seconds| Moment::from_unix(seconds, 0));
    moment.ok_or_else(|| io::Error::other("the clock of this machine is far off"))
}

/// A time in whole seconds, as it is typed.
fn typed(time: Moment) -> String {
    let iso = time.to_iso().replace(' ', "T");
    let seconds = iso.split('.').next().unwrap_or_default();
    format!("{seconds}Z")
}

/// Waits until a second has begun.
fn wait_for(second: Moment) -> io::Result<()> {
    while now()? < second {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn work(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "People work, a log backup follows",
        "Each row is one transaction; a log backup holds what was written since the one before.",
    );
    partners.write(show, A, "October")?;
    let taken = run(&partners.pair, show, A, "backup payroll --kind log")?;
    show.check("the log is backed up on sql-a", taken.code == 0);
    partners.write(show, A, "November")?;
    partners.before = now()?.plus_seconds(1);
    // What comes now is written behind that second.
    wait_for(partners.before.plus_seconds(1))?;
    show.text(&format!("the second {} has passed", typed(partners.before)));
    Ok(())
}

fn switch(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "Failover in the middle of a backup",
        "A full runs on sql-a when the roles are switched: what it has written so far is worth \
         nothing, and must never look like a backup.",
    );
    let slow = json!({ "faults": { "bytes_per_second": SLOW_BYTES_PER_SECOND } });
    partners.pair.order(A, slow)?;
    show.text("sql-a$ twinset backup payroll &");
    let backup = partners
        .pair
        .begin(A, &["--no-progress"], &["backup", "payroll"])?;
    partners
        .pair
        .until(A, "a backup that runs", |told| told["busy"] == true)?;
    partners.pair.write(A, "a mistake")?;
    show.text("SQL-A> INSERT ... 'a mistake'");
    show.text("SQL-A> ALTER DATABASE Payroll SET PARTNER FAILOVER");
    partners.pair.fail_over(A)?;
    let ran = backup.end()?;
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        show.text(&format!("  {line}"));
    }
    show.text(&format!("  (exit code {})", ran.code));
    partners.pair.order(A, json!({ "faults": {} }))?;
    let told = ran.stdout + &ran.stderr;
    show.check(
        "the backup stops and says why: TW4064, the role was lost",
        ran.code == 1 && told.contains("TW4064"),
    );
    let fulls = sets(&partners.pair, A, "payroll")?;
    let published = fulls.iter().filter(|set| *set == "full published").count();
    show.check(
        "nothing of it is published: the first full is still the only one",
        published == 1 && nothing_half_done(&partners.pair, A)?,
    );
    Ok(())
}

fn pending(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "The new principal's agent waits for its check",
        "Nothing is added to a chain that nobody has compared with the database that serves now. \
         The check is due in 30 minutes; until then a backup is refused, here by configuration.",
    );
    let (_, state) = partners.services[1].state("consistency check pending")?;
    show.text(&format!("sql-b's agent says: {state}"));
    let refused = run(&partners.pair, show, B, "backup payroll --kind log")?;
    show.check(
        "a backup by hand is refused (5) with the reason: consistency check required",
        refused.code == 5 && refused.all().contains("TW6002"),
    );
    let listed = run(&partners.pair, show, B, "group list")?;
    show.check(
        "the state says so, and when the check is due",
        listed.out.contains("consistency check pending, due"),
    );
    Ok(())
}

fn check(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "The check, now, and the chain goes on",
        "It compares identity, chain and media with what sql-a's agent left. No new full is \
         needed: the next log follows on the last one that sql-a took.",
    );
    let checked = run(&partners.pair, show, B, "check payroll")?;
    show.check("replica and source match", checked.code == 0);
    let (_, state) = partners.services[1].state("protected")?;
    show.text(&format!("sql-b's agent says: {state}"));
    let (_, log) = partners.services[1].done("log backup")?;
    show.text(&format!("sql-b's agent says: {log}"));
    let only_logs = sets(&partners.pair, B, "payroll")?.is_empty();
    show.check(
        "the log that joins the chain lies on sql-b, without a new full",
        only_logs && sets(&partners.pair, B, "payroll-log")? == ["log published"],
    );
    Ok(())
}

fn fail_back(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "Fail back",
        "SQL-A is principal again. Its agent compares, reads what sql-b's agent wrote, and goes on.",
    );
    partners.write(show, B, "December")?;
    show.text("SQL-B> ALTER DATABASE Payroll SET PARTNER FAILOVER");
    partners.pair.fail_over(B)?;
    let (_, back) = partners.services[0].state("consistency check runs")?;
    show.text(&format!("sql-a's agent says: {back}"));
    let (_, checked) = partners.services[0].done("check")?;
    show.text(&format!("sql-a's agent says: {checked}"));
    let passed = matches!(checked, Said::Ended(_, Some(0), _));
    show.check(
        "sql-a's agent checks by itself, and the check passes",
        passed,
    );
    let (_, log) = partners.services[0].done("log backup")?;
    show.text(&format!("sql-a's agent says: {log}"));
    let logs = sets(&partners.pair, A, "payroll-log")?;
    show.check(
        "the next log lies on sql-a again, behind that of sql-b",
        logs == ["log published", "log published"],
    );
    Ok(())
}

fn restore(partners: &mut Partners, show: &mut Show) -> io::Result<()> {
    let to = typed(partners.before);
    show.step(
        "Back to the second before the failover",
        "The full and a log lie on sql-a, the log with that second on sql-b: one restore reads both.",
    );
    let plan = format!("restore plan Payroll --group payroll --to {to}");
    let planned = run(&partners.pair, show, B, &plan)?;
    show.check("the plan finds a way", planned.code == 0);
    let line = format!("restore run Payroll --group payroll --as {COPY} --on {B} --to {to}");
    let restored = run(&partners.pair, show, B, &line)?;
    let copy = partners.pair.told_of(B, COPY)?;
    show.check(
        &format!("{COPY} is online on SQL-B"),
        restored.code == 0 && copy["state"] == "ONLINE",
    );
    show.text(&format!(
        "SQL-B> SELECT note FROM {COPY}: {}",
        copy["writes"]
    ));
    show.check(
        "it holds what was written before that second, and nothing later",
        copy["writes"] == json!(partners.known),
    );
    let told = partners.pair.order(B, json!({ "received": true }))?;
    let none = Vec::new();
    let read = told["received"].as_array().unwrap_or(&none).iter();
    let read: Vec<&Value> = read.filter(|one| one["database"] == COPY).collect();
    for one in &read {
        show.text(&format!(
            "SQL-B read {:>9} bytes, BLAKE3 {}..., which {} had sent",
            one["bytes"].to_string(),
            &one["blake3"]
                .as_str()
                .unwrap_or_default()
                .get(..16)
                .unwrap_or_default(),
            one["sent_by"].as_str().unwrap_or("nobody"),
        ));
    }
    let from = |server: &str| read.iter().filter(|one| one["sent_by"] == server).count();
    show.check(
        "every set it read is byte for byte what SQL Server had sent: two of SQL-A, one of SQL-B",
        read.iter().all(|one| one["same"] == true) && (from("SQL-A"), from("SQL-B")) == (2, 1),
    );
    Ok(())
}

fn end(partners: Partners, show: &mut Show) -> io::Result<()> {
    show.step(
        "The end of a day",
        "Both services stop, and every byte is read once more.",
    );
    let mut stopped = true;
    let Partners { pair, services, .. } = partners;
    for service in services {
        let agent = service.agent;
        let (ran, _) = service.stop()?;
        show.text(&format!("{agent}: Ctrl-C, exit code {}", ran.code));
        stopped &= ran.code == 0;
    }
    show.check("both services have ended as they should", stopped);
    let whole = nothing_half_done(&pair, A)? && nothing_half_done(&pair, B)?;
    let mut sound = true;
    for (agent, set) in [(A, "payroll"), (A, "payroll-log"), (B, "payroll-log")] {
        let verified = pair.json(agent, &["media", "verify", set])?;
        show.text(&format!(
            "{agent}$ twinset media verify {set}: exit code {}",
            verified.code
        ));
        sound &= verified.code == 0;
    }
    show.check(
        "every set of both agents is whole and sound",
        whole && sound,
    );
    let ended = pair.lab.end()?;
    show.check(
        "both doubles of SQL Server ended by themselves",
        ended.success(),
    );
    Ok(())
}

impl Partners {
    /// One transaction, shown.
    fn write(&mut self, show: &Show, agent: &str, note: &str) -> io::Result<()> {
        self.pair.write(agent, note)?;
        let server = agent.to_uppercase();
        show.text(&format!("{server}> INSERT ... '{note}'"));
        if agent == A {
            self.known.push(note.to_owned());
        }
        Ok(())
    }
}
