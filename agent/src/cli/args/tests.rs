#![allow(clippy::unwrap_used, clippy::panic)]

use clap::CommandFactory;

use super::read::usage;
use super::*;

fn parse(line: &str) -> Args {
    Args::try_parse_from(line.split_whitespace()).unwrap()
}

fn refused(line: &str) -> String {
    let error = Args::try_parse_from(line.split_whitespace()).unwrap_err();
    error.to_string().lines().next().unwrap().to_owned()
}

#[test]
fn the_tree_holds_together() {
    Args::command().debug_assert();
}

#[test]
fn global_options_stand_before_or_behind_the_verb() {
    for line in [
        "twinset --json --config x backup g",
        "twinset backup g --json --config x",
    ] {
        let args = parse(line);
        assert!(args.json && args.config.as_os_str() == "x", "{line}");
    }
    assert_eq!(parse("twinset status").config.as_os_str(), DEFAULT_CONFIG);
}

#[test]
fn the_forms_of_the_design_parse() {
    for line in [
        "twinset config check",
        "twinset group protect g --database D",
        "twinset group unprotect g --database D --retain-data",
        "twinset group adopt g --trial",
        "twinset group adopt g --database D --yes --despite-jobs",
        "twinset init",
        "twinset init --host h --partner b=h2:1444 --database D --mirror a --mirror b --dry-run",
        "twinset init --add --instance a --database D --media-set s",
        "twinset backup g --database D --kind full --copy-only --dry-run",
        "twinset media format s --if-needed --overwrite",
        "twinset media format s --destroy 6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55",
        "twinset media show s",
        "twinset media show --device {} --plugin disk",
        "twinset media verify s --position 3",
        "twinset media verify s --public-key k.pub --public-key x",
        "twinset key make --out f",
        "twinset key show",
        "twinset media import s --database D a.bak b.bak",
        "twinset media export s --position 1 --to out",
        "twinset media recover s --database D",
        "twinset media adopt s --yes",
        "twinset media drop-mirror s 2 --yes",
        "twinset media show s --id 6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55",
        "twinset agent show",
        "twinset agent renew-id --yes",
        "twinset restore plan D --group g --position 2",
        "twinset restore run D --group g --as N --on i --data-dir d --move a=b --move c=d=e",
        "twinset restore plan D --group g --to 2026-11-21T03:15:00Z --fork 6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55",
        "twinset restore plan D --group g --to mark:m --after 2026-11-21 --without 3 --without logs:4",
        "twinset restore run D --group g --as N --on i --to lsn:7 --norecovery --server-zone -05:00",
        "twinset restore run D --group g --as N --on i --position logs:7 --script out",
        "twinset restore run D --group g --as N --on i --id 6f6c1f2e-8f0a-4a59-9d2b-0f8a3c1b7e55",
        "twinset restore points D --group g",
        "twinset restore verify D --group g --on i --position 2",
        "twinset status",
        "twinset status g",
        "twinset plugin list",
        "twinset plugin check ./x.so",
    ] {
        parse(line);
    }
}

#[test]
fn moves_part_at_the_first_equals_sign() {
    let Verb::Restore(RestoreVerb::Run(run)) =
        parse("twinset restore run D --group g --as N --on i --move c=d=e").verb
    else {
        panic!("another verb");
    };
    assert_eq!(
        run.moves,
        [Move {
            logical: "c".to_owned(),
            path: "d=e".to_owned()
        }]
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    insta::assert_snapshot!(refused("twinset media show"), @r#"
    error: the following required arguments were not provided:
    "#);
    insta::assert_snapshot!(refused("twinset media show s --device {} --plugin disk"), @r#"
    error: the argument '[SET]' cannot be used with '--device <JSON>'
    "#);
    insta::assert_snapshot!(refused("twinset media show --device {}"), @r#"
    error: the following required arguments were not provided:
    "#);
    insta::assert_snapshot!(refused("twinset backup g --kind page"), @r#"
    error: invalid value 'page' for '--kind <KIND>'
    "#);
    insta::assert_snapshot!(refused("twinset media export s --position 0 --to o"), @r#"
    error: invalid value '0' for '--position <N>': positions are whole numbers from 1
    "#);
    insta::assert_snapshot!(refused("twinset media import s --database D"), @r#"
    error: the following required arguments were not provided:
    "#);
    insta::assert_snapshot!(refused("twinset restore run D --group g --as N --on i --move x"), @r#"
    error: invalid value 'x' for '--move <LOGICAL=PATH>': write a logical name, = and a path
    "#);
    insta::assert_snapshot!(refused("twinset bakcup g"), @r#"
    error: unrecognized subcommand 'bakcup'
    "#);
}

#[test]
fn usage_becomes_a_fault() {
    let error = Args::try_parse_from(["twinset", "backup"]).unwrap_err();
    insta::assert_snapshot!(usage(&error), @r#"
    TW1007 command line: the following required arguments were not provided: <GROUP>
      remedy: Usage: twinset backup <GROUP>
    "#);
}

#[test]
fn every_verb_shows_an_example() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        if command.has_subcommands() {
            // What is hidden is for no hands.
            for inner in command.get_subcommands().filter(|one| !one.is_hide_set()) {
                walk(inner, &path);
            }
            return;
        }
        let after = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(after.starts_with("Example"), "{path}");
        for line in after.lines().skip(1) {
            let words = shell_words(line.trim());
            assert!(Args::try_parse_from(&words).is_ok(), "{line}");
        }
    }
    walk(&Args::command(), "");
}

#[test]
fn the_packaged_unit_calls_a_verb_that_exists() {
    let unit = include_str!("../../../../packaging/systemd/twinset-backup@.service");
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    let args = parse(&line.replace("%i", "payroll"));
    assert!(matches!(args.verb, Verb::Backup(BackupArgs { group, .. }) if group == "payroll"));
}

/// Words of an example, single quotes taken off.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
