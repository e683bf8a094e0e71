//! What people read of replicas.

use insta::assert_snapshot;

use super::{A, B, FAST, Pair, Setup, group, group_with};
use crate::support::pair::fold;

const FULL: &[&str] = &["backup", "payroll"];
const LOG: &[&str] = &["backup", "payroll", "--kind", "log"];

#[test]
fn a_full_on_a_secondary() {
    let pair = Pair::of(&group());
    assert_snapshot!(pair.said(B, FULL), @r"
    probe sql-b: Payroll
    error 3059 sql-b, database Payroll: only the primary takes it, which is SQL-A
      remedy: the agent of the primary takes it; a secondary takes logs, and fulls with
          > --copy-only
    ");
}

#[test]
fn a_log_on_a_secondary_that_is_not_readable() {
    let pair = Pair::of(&group_with("", ", connections = \"no\""));
    assert_snapshot!(pair.said(B, LOG), @r#"
    probe sql-b: Payroll
    error 976 sql-b, database Payroll: the secondary here is not readable
          > (ALLOW_CONNECTIONS = NO), and is not backed up
      remedy: MODIFY REPLICA ... SECONDARY_ROLE (ALLOW_CONNECTIONS = READ_ONLY), or set
          > replica = "primary" in [backup]
    "#);
}

#[test]
fn a_read_scale_group() {
    let pair = Pair::of(&group_with("cluster = \"none\"", ""));
    assert_snapshot!(pair.said(A, FULL), @r"
    probe sql-a: Payroll
    error TW4063 sql-a, database Payroll: availability group ag is a read-scale group
          > (cluster type NONE): nobody arbitrates its roles
      cause: Twinset follows groups whose cluster (WSFC, or EXTERNAL) arbitrates the
          > roles
      remedy: back its databases up with SQL Server's own tools; `media import` takes
          > the files
    ");
}

#[test]
fn a_group_that_is_hidden() {
    let setup = Setup {
        users: ["reader", "reader"],
        how: "source = \"stage\"\nstage_dir = \"staged\"\nstage_dir_server = \"staged\"",
        ..group()
    };
    let pair = Pair::of(&setup);
    assert_snapshot!(pair.said(A, FULL), @r"
    probe sql-a: Payroll
    error TW6010 sql-a, database Payroll: how its availability group stands is hidden:
          > VIEW SERVER STATE shows it (twinset grants)
      remedy: twinset grants INSTANCE prints what is missing
    ");
}

#[test]
fn a_chain_that_only_the_primary_can_mend() {
    let pair = Pair::of(&group());
    assert_snapshot!(pair.said(B, LOG), @r"
    probe sql-b: Payroll
    error TW4020 database Payroll: nothing is held that the next log could follow on
      cause: it would take a full backup, and only the primary takes those
      remedy: on the host of SQL-A: twinset backup GROUP --database Payroll --kind
          > full; both agents must be able to read each other's media
    ");
}

#[test]
fn a_kind_that_does_not_fit_its_file() {
    let faults = |how: &'static str, lines: &'static str| {
        let setup = Setup {
            how,
            group: lines,
            ..group()
        };
        let folder = tempfile::tempdir().unwrap();
        let programs = twinset_tests::hosts::programs::Programs::of_this_build().unwrap();
        let hosts = twinset_tests::hosts::Pair::set_up(folder.path(), programs, &setup).unwrap();
        let ran = hosts
            .run_as(A, &["--no-progress"], &["config", "check"])
            .unwrap();
        let text = ran.stderr.replace(folder.path().to_str().unwrap(), "~");
        text.lines().map(fold).collect::<String>()
    };
    assert_snapshot!(faults("kind = \"standalone\"", FAST), @r"
    error TW1002 groups.d/payroll.toml:3:12: `partners` names 2 instances, and the kind
          > is standalone: it has one instance
      remedy: name fewer partners, or leave `kind` out: what binds them is detected
    ");
    assert_snapshot!(
        faults("kind = \"mirroring\"", "[backup]\nreplica = \"primary\""),
        @r#"
    error TW1002 groups.d/payroll.toml:8:11: `replica` chooses a replica of an
          > availability group, and `kind` says that there is none
      remedy: leave `replica` out, or set kind = "availability-group" or "detect"
    "#
    );
    assert_snapshot!(faults("", "[backup]\nreplica = \"secondary\""), @r#"
    error TW1002 groups.d/payroll.toml:8:11: `replica` cannot be "secondary"
      remedy: write one of "preferred" or "primary"
    "#);
}

#[test]
fn doctor_names_the_group() {
    let lines = |pair: &Pair, agent: &str| {
        let ran = pair.run_as(agent, &["--no-progress"], &["doctor", "payroll"]);
        let text = format!("{}{}", ran.stdout, ran.stderr);
        let lines = text.lines().filter(|line| line.contains("availability"));
        lines.map(|line| fold(line.trim_end())).collect::<String>()
    };
    let pair = Pair::of(&group());
    assert_snapshot!(lines(&pair, B), @r"
    ok      sql-a, database Payroll: it is primary in availability group ag,
          > SYNCHRONIZED; the group prefers backups on a secondary
    ok      sql-b, database Payroll: it is secondary in availability group ag,
          > SYNCHRONIZED; the group prefers backups on a secondary
    ");
    let pair = Pair::of(&group_with("distributed = \"far\"", ""));
    assert_snapshot!(lines(&pair, A), @r"
    failure TW4063 sql-a, database Payroll: availability group ag is part of the
          > distributed group far
    failure TW4063 sql-b, database Payroll: availability group ag is part of the
          > distributed group far
    ");
    let setup = Setup {
        how: "kind = \"mirroring\"",
        ..group()
    };
    let pair = Pair::of(&setup);
    assert_snapshot!(lines(&pair, A), @r#"
    failure TW6006 sql-a, database Payroll: the database is in an availability group,
          > and its group says kind = "mirroring"
    ok      sql-a, database Payroll: it is primary in availability group ag,
          > SYNCHRONIZED; the group prefers backups on a secondary
    failure TW6006 sql-b, database Payroll: the database is in an availability group,
          > and its group says kind = "mirroring"
    ok      sql-b, database Payroll: it is secondary in availability group ag,
          > SYNCHRONIZED; the group prefers backups on a secondary
    "#);
}
