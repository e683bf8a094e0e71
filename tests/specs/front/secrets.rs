//! Is the password ever seen? Not in what is printed, logged, kept or passed on.

use std::process::{Command, Output};

use super::{Host, PASSWORD, Setup};
use crate::support::{Running, built, snapshot};

/// Everything, also what the driver would say of its packets.
const EVERYTHING: &str = "trace,tiberius::client=trace,tiberius::tds=trace,rustls::client=trace";

/// The forms in which it could be written by mistake: as it is, as TDS sends text, both in base64
/// at each of its three offsets, and as LOGIN7 scrambles it (nibbles swapped, then XOR 0xA5).
fn forms() -> Vec<Vec<u8>> {
    let plain = PASSWORD.as_bytes().to_vec();
    let wide: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let scrambled = wide.iter().map(|byte| byte.rotate_left(4) ^ 0xA5).collect();
    let mut forms = vec![plain.clone(), wide.clone(), scrambled];
    for text in [plain, wide] {
        for offset in 0..3 {
            forms.push(inside_base64(&text, offset));
        }
    }
    forms
}

/// What stands in base64 whatever lies before and behind, when `offset` bytes lie before.
fn inside_base64(text: &[u8], offset: usize) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded = [&vec![0; offset][..], text].concat();
    let whole = padded.chunks_exact(3).flat_map(|three| {
        let word = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        [18, 12, 6, 0].map(|shift| DIGITS[(word >> shift & 63) as usize])
    });
    // The first group holds bits of what lies before.
    whole.skip(if offset == 0 { 0 } else { 4 }).collect()
}

fn holds(bytes: &[u8]) -> bool {
    forms()
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form))
}

#[track_caller]
fn is_silent(host: &Host, args: &[&str], output: &Output) {
    assert!(!holds(&output.stdout), "{args:?} prints the password");
    assert!(!holds(&output.stderr), "{args:?} logs the password");
    for (path, bytes) in snapshot(&host.world.path().join("state")) {
        assert!(
            !holds(&bytes),
            "{args:?} keeps the password in {}",
            path.display()
        );
    }
}

/// Runs a verb with everything logged, once by the argument and once by the environment.
fn run(host: &Host, args: &[&str], exit: i32) {
    let program = |more: &[&str]| {
        let mut command = Command::new(built("twinset"));
        command
            .args(["--config", "agent.toml"])
            .args(more)
            .args(args);
        command
            .current_dir(host.world.path())
            .env_remove("TWINSET_LOG");
        command
    };
    let by_argument = program(&["--log-level", "trace"]).output().unwrap();
    let said = String::from_utf8_lossy(&by_argument.stderr).into_owned();
    assert_eq!(by_argument.status.code(), Some(exit), "{args:?}: {said}");
    is_silent(host, args, &by_argument);
    let by_environment = program(&["--json"])
        .env("TWINSET_LOG", EVERYTHING)
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    is_silent(host, args, &by_environment);
}

#[test]
fn no_verb_ever_shows_the_password() {
    let host = Host::blank(&Setup::default());
    let out = host.world.path().join("out");
    let out = out.to_str().unwrap();
    for (line, exit) in [
        ("config check", 0),
        ("plugin list", 0),
        ("media format payroll", 0),
        ("backup payroll --dry-run", 0),
        ("backup payroll", 0),
        ("backup payroll --copy-only", 0),
        ("status", 0),
        ("media show payroll", 0),
        ("media verify payroll", 0),
        ("media recover payroll", 0),
        (&format!("media export payroll --position 1 --to {out}"), 0),
        ("doctor", 0),
        ("doctor --instance sql-a", 0),
        ("grants sql-a", 0),
        ("grants sql-a --feature stage --database Payroll", 0),
        ("media repair payroll", 0),
        ("media plan-retention payroll", 0),
        ("catalog rebuild --from-media", 0),
        ("restore plan Payroll --group payroll", 0),
        (
            "restore run Payroll --group payroll --as Copy --on sql-a",
            0,
        ),
        (
            "restore run Payroll --group payroll --as Payroll --on sql-a",
            5,
        ),
    ] {
        run(&host, &line.split(' ').collect::<Vec<_>>(), exit);
    }
}

#[test]
fn a_login_that_fails_does_not_show_it_either() {
    let mut host = Host::usual();
    host.reach(|client| client.user = "nobody".into());
    run(&host, &["backup", "payroll"], 1);
    run(&host, &["doctor"], 1);
    host.reach(|client| {
        client.user = "twinset".into();
        client.host = "127.0.0.1".into();
        client.ca_file = None;
    });
    run(&host, &["backup", "payroll"], 1);
}

#[test]
fn other_users_of_the_host_do_not_see_it_while_a_backup_runs() {
    let mut host = Host::usual();
    host.turn(&serde_json::json!({ "bytes_per_second": 2 << 20 }));
    let mut running: Running = host.world.start(&["backup", "payroll"]);
    assert!(running.says("\"running\""));
    for file in ["cmdline", "environ"] {
        let shown = std::fs::read(format!("/proc/{}/{file}", running.id())).unwrap();
        assert!(
            !shown.is_empty() && !holds(&shown),
            "{file} holds the password"
        );
    }
    running.end().ended(0);
}

#[test]
fn the_search_would_find_it() {
    assert!(holds(format!("password={PASSWORD};").as_bytes()));
    assert!(holds(&[b"x".as_slice(), &forms()[1]].concat()));
    let encoded = |text: &[u8]| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    for before in ["", "a", "ab", "abc", "password = "] {
        let text = format!("{before}{PASSWORD} behind");
        assert!(holds(encoded(text.as_bytes()).as_bytes()), "{text}");
    }
    assert!(!holds(b"password=***"));
}
