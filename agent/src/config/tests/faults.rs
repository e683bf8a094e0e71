use super::*;

/// The faults of `AGENT` with one replacement, and of `GROUP` with another.
fn changed(agent: (&str, &str), group: (&str, &str)) -> String {
    assert!(AGENT.contains(agent.0) && GROUP.contains(group.0));
    let agent = AGENT.replace(agent.0, agent.1);
    let group = GROUP.replace(group.0, group.1);
    Folder::new(&[("agent.toml", &agent), ("groups.d/p.toml", &group)]).faults()
}

fn agent(from: &str, to: &str) -> String {
    changed((from, to), ("", ""))
}

fn group(from: &str, to: &str) -> String {
    changed(("", ""), (from, to))
}

#[test]
fn a_misspelt_key_is_named_with_its_place_and_the_nearest_key() {
    insta::assert_snapshot!(agent("user = \"twinset\"\np", "usr = 1\np"), @r#"
    TW1001 agent.toml:8:1: unknown key "usr"
      remedy: did you mean "user"?
    "#);
}

#[test]
fn a_key_of_another_table_is_sent_there() {
    insta::assert_snapshot!(agent("name = \"sql-a\"", "families = 2"), @r#"
    TW1001 agent.toml:3:1: unknown key "families"
      remedy: "families" belongs in [media_sets.NAME] of agent.toml
    "#);
}

#[test]
fn a_password_in_the_file_is_refused_and_never_printed() {
    let printed = agent(
        "password_file = \"secrets/sql-a\"",
        "password = \"hunter2\"",
    );
    insta::assert_snapshot!(printed, @r#"
    TW1001 agent.toml:9:1: unknown key "password"
      remedy: move it to a file closed to others and name that in `password_file`; then change it
    "#);
    assert!(!printed.contains("hunter2"));
}

#[test]
fn a_wrong_type_and_broken_toml_are_one_fault_per_file() {
    insta::assert_snapshot!(changed(("\"sql-a.example.com\"", "12"), ("[group]", "[group")), @r#"
    TW1001 agent.toml:7:8: wrong type: expected text in quotes
      remedy: see the type of this key in the configuration reference
    TW1001 groups.d/p.toml:2:7: not TOML: unclosed table, expected `]`
      remedy: correct the file at this place; `twinset config check` reads it again
    "#);
}

#[test]
fn all_faults_of_all_files_come_at_once_in_order() {
    let agent = r#"
[agent]
name = "a b"
serves = ["sql-x"]
memory_limit = "1MiB"
[plugins.disk]
path = "p.so"
sha256 = "12"
isolation = "process"
[instances.sql-a]
host = ""
port = 0
encrypt = "requird"
user = "twinset"
[instances.sql-b]
host = "h"
port = 1433
instance = "X"
user = "twinset"
password_env = "A"
password_file = "f"
ca_file = "ca.pem"
trust_server_certificate = true
[media_sets.one]
encoding = "zip"
min_mirrors = 3
device_deadline = "1ms"
disk_mirrors = ["/a/{agnet}", "/b"]
[media_sets.two]
name = "one"
families = 2
[[media_sets.two.mirrors]]
devices = [{ plugin = "disk", options = { path = "/b/." } }, { plugin = "dsk" }]
[[media_sets.two.mirrors]]
devices = [{ plugin = "disk", options = { path = "/c" } }]
"#;
    let group = r#"
[group]
name = "g"
partners = ["sql-a", "sql-c", "sql-a"]
databases = ["-X"]
media_set = "ones"
source = "stage"
[backup]
block_size = 1000
max_transfer_size = "5MiB"
compression = "zip"
[schedule]
full = "daily"
[retention]
max_drop = "lots"
"#;
    let second = GROUP
        .replace("payroll\"\np", "G\"\np")
        .replace(", \"sql-b\"", "");
    let second = second.replace("media_set = \"payroll\"", "media_set = \"one\"");
    let folder = Folder::new(&[
        ("agent.toml", agent),
        ("groups.d/1.toml", group),
        ("groups.d/2.toml", &second),
    ]);
    insta::assert_snapshot!(folder.faults(), @r#"
    TW1002 agent.toml:3:8: "a b" cannot be the name of an agent
      remedy: use 1 to 64 letters, digits, `.`, `_` and `-`, no `.` or `-` in front
    TW1002 agent.toml:4:11: no instance "sql-x" is configured
      remedy: did you mean "sql-a"?
    TW1002 agent.toml:5:16: `memory_limit` cannot be 1MiB
      remedy: choose 32MiB to 64GiB
    TW1002 agent.toml:8:10: `sha256` is no SHA-256
      remedy: write the 64 hexadecimal digits that `sha256sum FILE` prints
    TW1002 agent.toml:9:13: `isolation = "process"` is not in this release
      remedy: use `isolation = "in-process"`
    TW1002 agent.toml:10:12: nothing says where the password lies
      remedy: add `password_file = "..."`, `password_env` or `password_credential`
    TW1002 agent.toml:11:8: `host` is empty
      remedy: write it or leave the key out
    TW1002 agent.toml:12:8: `port` cannot be 0
      remedy: choose 1 to 65535
    TW1002 agent.toml:13:11: `encrypt` cannot be "requird"
      remedy: did you mean "required"?
    TW1002 agent.toml:18:12: `port` and `instance` contradict each other
      remedy: keep `port`; the instance is found by it alone
    TW1002 agent.toml:20:16: `password_env` contradicts `password_file`
      remedy: keep exactly one of the two
    TW1002 agent.toml:23:28: `trust_server_certificate` contradicts `ca_file`
      remedy: keep `ca_file` and remove `trust_server_certificate`
    TW1002 agent.toml:25:12: `encoding` cannot be "zip"
      remedy: write one of "raw" or "zstd"
    TW1002 agent.toml:26:15: `min_mirrors` cannot be 3
      remedy: choose 1 to 2
    TW1002 agent.toml:27:19: `device_deadline` is out of range: "1ms"
      remedy: choose 1s to 86400s
    TW1002 agent.toml:28:17: unknown placeholder "{agnet}"
      remedy: use {agent} or {database}; write {{ and }} for braces
    TW1002 agent.toml:30:8: the media name "one" stands at agent.toml:24:13 too
      remedy: give each media set a name of its own
    TW1002 agent.toml:33:12: media set "one" uses the same place at agent.toml:28:31
      remedy: give every device of every media set a place of its own
    TW1002 agent.toml:33:73: no plugin "dsk" is configured
      remedy: did you mean "disk"? (or add [plugins.dsk] with its path)
    3010 agent.toml:35:11: mirror 2 has 1 devices for 2 families
      remedy: name one device per family in every mirror
    TW1002 groups.d/1.toml:4:22: no instance "sql-c" is configured
      remedy: did you mean "sql-a"?
    TW1002 groups.d/1.toml:4:31: partner "sql-a" is named twice
      remedy: name each instance once
    TW1002 groups.d/1.toml:5:13: `databases` takes no database in
      remedy: name at least one database or USER_DATABASES
    TW1002 groups.d/1.toml:6:13: no media set "ones" is configured
      remedy: did you mean "one"?
    TW1002 groups.d/1.toml:7:10: `source = "stage"` needs a folder
      remedy: add `stage_dir`: a folder that SQL Server and the agent may write
    TW1002 groups.d/1.toml:9:14: `block_size` cannot be 1000
      remedy: choose a power of two from 512 to 65536
    TW1002 groups.d/1.toml:10:21: `max_transfer_size` cannot be 5MiB
      remedy: choose a multiple of 64KiB up to 4MiB
    TW1002 groups.d/1.toml:11:15: `compression` cannot be "zip"
      remedy: write one of "server" or "none"
    TW1002 groups.d/1.toml:13:14: `full` is no cron line: 1 of five fields
      remedy: write minute, hour, day, month and weekday, such as "0 1 * * sun"
    TW1002 groups.d/1.toml:14:1: [retention] keeps nothing
      remedy: set `window` or a count; without the table everything is kept
    TW1002 groups.d/1.toml:15:12: `max_drop` is no percentage: "lots"
      remedy: write 0% to 100%, such as "25%"
    TW1002 groups.d/2.toml:3:8: the group "G" stands at groups.d/1.toml:3:8 too
      remedy: give each group a name of its own
    "#);
}

#[test]
fn a_schedule_is_read_to_its_last_character() {
    let more = r#"media_set = "payroll"
[schedule]
full = "0 25 * * sun"
differential = "0 1 * * mon-fry"
log = "*/15 * *\t* *"
time_zone = "Europe/Viena"
missed = "skp"
retries = 101
retry_delay = "0s"
blackout = ["mon-fri 08:00-12:00", "mon-fri 8:00-12:00", "sun"]"#;
    insta::assert_snapshot!(group("media_set = \"payroll\"", more), @r#"
    TW1002 groups.d/p.toml:8:11: `full` is no cron line: "25" is no hour
      remedy: write 0 to 23, or *
    TW1002 groups.d/p.toml:9:29: `differential` is no cron line: "fry" is no weekday
      remedy: write 0 to 7, or sun to sat, or *
    TW1002 groups.d/p.toml:11:13: no time zone "Europe/Viena" is known here
      remedy: did you mean "Europe/Vienna"?
    TW1002 groups.d/p.toml:12:10: `missed` cannot be "skp"
      remedy: did you mean "skip"?
    TW1002 groups.d/p.toml:13:11: `retries` cannot be 101
      remedy: choose 0 to 100
    TW1002 groups.d/p.toml:14:15: `retry_delay` is out of range: "0s"
      remedy: choose 1s to 86400s
    TW1002 groups.d/p.toml:15:45: `blackout` holds no window: "8:00" is no time of day
      remedy: write days and times, such as "mon-fri 08:00-12:00" or "full 06:00-22:00"
    TW1002 groups.d/p.toml:15:59: `blackout` holds no window: "sun" is no span of time
      remedy: write days and times, such as "mon-fri 08:00-12:00" or "full 06:00-22:00"
    "#);
    let more = r#"media_set = "payroll"
[schedule]
log = "*/15 *  * * x\t"
full = '@daily'
time_zone = "Middle/Earth"
blackout = ["full 00:00-24:00"]"#;
    insta::assert_snapshot!(group("media_set = \"payroll\"", more), @r#"
    TW1002 groups.d/p.toml:8:7: `log` is no cron line: "x" is no weekday
      remedy: write 0 to 7, or sun to sat, or *
    TW1002 groups.d/p.toml:9:9: `full` is no cron line: nicknames are not known
      remedy: write "0 0 * * *"
    TW1002 groups.d/p.toml:10:13: no time zone "Middle/Earth" is known here
      remedy: write "local", "UTC" or a name such as Europe/Vienna
    TW1002 groups.d/p.toml:11:12: `blackout` leaves no minute of the week for full backups
      remedy: shorten a window, or leave the kind out of the schedule
    "#);
}

#[test]
fn receivers_of_alerts_keep_their_secrets_and_their_place() {
    let receivers = |lines: &str| {
        let text = AGENT.replace("[agent]\n", &format!("[alerts]\n{lines}\n[agent]\n"));
        Folder::new(&[("agent.toml", &text), ("groups.d/p.toml", GROUP)]).faults()
    };
    let told = receivers(
        "webhook = \"https://me:secret@example.com/\"\nwebhook_file = \"address\"\n\
         command = [\"mail.sh\"]\ntimeout = \"3m\"",
    );
    insta::assert_snapshot!(told, @r#"
    TW1002 agent.toml:3:11: `webhook` holds a user or a password
      remedy: put a token into a file and name it in `webhook_token_file`
    TW1002 agent.toml:4:16: `webhook_file` contradicts `webhook`
      remedy: keep exactly one of the two
    TW1002 agent.toml:5:11: `command` does not say where "mail.sh" lies
      remedy: write the whole path of the program
    TW1002 agent.toml:6:11: `timeout` is out of range: "3m"
      remedy: choose 1s to 120s
    "#);
    let open = "webhook = \"http://example.com/\"\nwebhook_token_file = \"token\"";
    insta::assert_snapshot!(receivers(open), @r"
    TW1002 agent.toml:3:11: `webhook` would send its token for everybody to read
      remedy: write https://...
    ");
    insta::assert_snapshot!(receivers("webhook = \"https:///x\"\ncommand = []"), @r"
    TW1002 agent.toml:3:11: `webhook` names no host
      remedy: write https://HOST/PATH
    TW1002 agent.toml:4:11: `command` is empty
      remedy: write the program and its arguments, or leave the key out
    ");
    insta::assert_snapshot!(receivers("webhook_token_file = \"token\""), @r"
    TW1002 agent.toml:3:22: there is no webhook that this is for
      remedy: add `webhook`, or leave this key out
    ");
}

#[test]
fn five_mirrors_are_3214() {
    let from = r#"["a/{agent}/{database}", "/b/{agent}"]"#;
    let to = r#"["/1{agent}", "/2{agent}", "/3{agent}", "/4{agent}", "/5{agent}"]"#;
    insta::assert_snapshot!(agent(from, to), @r#"
    3214 agent.toml:15:69: media set "payroll" has 5 mirrors
      remedy: keep at most 4 mirrors
    "#);
}

#[test]
fn several_partners_need_the_agent_in_every_device() {
    insta::assert_snapshot!(agent("/b/{agent}", "/b"), @r#"
    TW1002 groups.d/p.toml:6:13: several partners, and no {agent} at agent.toml:15:41
      remedy: put {agent} into each device's path, so that each agent has media of its own
    "#);
}

#[cfg(unix)]
#[test]
fn accounts_of_windows_are_for_agents_on_windows() {
    insta::assert_snapshot!(agent("password_env", "auth = \"windows\"\npassword_env"), @r#"
    TW1002 agent.toml:13:8: `auth = "windows"` is for agents on Windows
      remedy: use `auth = "sql"` with a login of SQL Server and `encrypt = "strict"` or `"required"`; `twinset grants` prints the login and its rights
    "#);
}

#[cfg(windows)]
#[test]
fn an_account_of_windows_has_a_domain_and_all_or_nothing() {
    use crate::config::Auth;
    let windows = "auth = \"windows\"\npassword_env";
    insta::assert_snapshot!(agent("password_env", windows), @r#"
    TW1002 agent.toml:12:8: "twinset" is no account of Windows
      remedy: write DOMAIN\user, in single quotes; or leave user and password out: then it is the account that the agent runs under
    "#);
    let of = |login: &str| {
        let text = AGENT.replace("user = \"twinset\"\npassword_env = \"B\"", login);
        let folder = Folder::new(&[("agent.toml", &text), ("groups.d/p.toml", GROUP)]);
        let config = folder.load().unwrap();
        config.instance("sql-b").unwrap().auth.clone()
    };
    let account = of("auth = \"windows\"\nuser = 'LAB\\twinset'\npassword_env = \"B\"");
    assert!(matches!(account, Auth::Windows { user, .. } if user == "LAB\\twinset"));
    assert_eq!(of("auth = \"windows\""), Auth::Own);
}

#[test]
fn a_group_of_a_broken_agent_file_is_still_judged_by_itself() {
    insta::assert_snapshot!(changed(("[agent]", "[agent"), ("Payroll", "-Payroll")), @r#"
    TW1001 agent.toml:2:7: not TOML: unclosed table, expected `]`
      remedy: correct the file at this place; `twinset config check` reads it again
    TW1002 groups.d/p.toml:5:13: `databases` takes no database in
      remedy: name at least one database or USER_DATABASES
    "#);
}

#[test]
fn buffers_stay_below_the_memory_limit() {
    let more = "media_set = \"payroll\"\n[backup]\nbuffer_count = 1024";
    insta::assert_snapshot!(group("media_set = \"payroll\"", more), @r#"
    TW1002 groups.d/p.toml:8:16: `buffer_count` times `max_transfer_size` is 1073741824 bytes
      remedy: stay below the agent's `memory_limit` of 268435456 bytes
    "#);
}

#[test]
fn a_missing_file_and_a_file_of_bytes_are_named() {
    let folder = Folder::new(&[]);
    insta::assert_snapshot!(folder.faults(), @r#"
    TW1003 agent.toml: the configuration file cannot be read
      cause: No such file or directory (os error 2)
      remedy: write it, or name another one with --config FILE
    "#);
    fs::write(folder.path("agent.toml"), b"[agent]\n\xff").unwrap();
    insta::assert_snapshot!(folder.faults(), @r#"
    TW1001 agent.toml: the file is not UTF-8 text (byte 8)
      remedy: save it as UTF-8
    "#);
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let config = Folder::new(&[("agent.toml", AGENT)]).load().unwrap();
    insta::assert_snapshot!(config.media_set("payrol").unwrap_err(), @r#"
    TW1006 payrol: no media set of this name is configured
      remedy: did you mean "payroll"?
    "#);
    insta::assert_snapshot!(config.group("payroll").unwrap_err(), @r#"
    TW1006 payroll: no protection group of this name is configured
      remedy: none is configured
    "#);
}

mod never_panics {
    use proptest::prelude::*;

    use super::*;

    const INSERT: &str = "[\\[\\]{}=\"'a-z0-9.\n]{0,6}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn on_mutated_files(at in 0..AGENT.len(), cut in 0..40usize, insert in INSERT) {
            let mut text = AGENT.as_bytes().to_vec();
            let end = (at + cut).min(text.len());
            text.splice(at..end, insert.bytes());
            let folder = Folder::new(&[("groups.d/p.toml", GROUP)]);
            fs::write(folder.path("agent.toml"), text).unwrap();
            if let Err(faults) = folder.load() {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| !fault.remedy.is_empty()));
            }
        }
    }
}
