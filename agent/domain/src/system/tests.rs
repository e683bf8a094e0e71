//! What each system's people are told.

use super::{LINUX, System, WINDOWS};

fn all(system: &System) -> Vec<String> {
    // A new word is missed here by the compiler.
    let System {
        windows_logins: _,
        credential: _,
        secret: _,
        config,
        state,
        secrets,
        writer,
        writers,
        start,
        first_start,
        tasks,
        set_memory,
        set_unseen,
        shared_folder,
        server_user,
        read_of_server,
    } = *system;
    let fixed = [
        config,
        state,
        secrets,
        writer,
        writers,
        start,
        first_start,
        tasks,
        set_memory,
        set_unseen,
        shared_folder,
        server_user,
        read_of_server,
    ];
    let mut words: Vec<String> = fixed.map(str::to_owned).into();
    words.push(system.secret("password", "FILE"));
    words.push(system.credential("sql-a"));
    words
}

#[test]
fn windows_hears_nothing_of_linux() {
    let strange = [
        "root",
        "systemctl",
        "chmod",
        "usermod",
        "mode ",
        "/etc",
        "/var",
        "/dev",
        "mssql ",
        "ulimit",
    ];
    for text in all(&WINDOWS) {
        for word in strange {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn linux_hears_nothing_of_windows() {
    for text in all(&LINUX) {
        for word in ["administrator", "SYSTEM", "C:", "icacls", "service install"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn names_stand_where_they_belong() {
    insta::assert_snapshot!(LINUX.secret("password", "/etc/twinset/secrets/sql-a"), @"put the password alone into /etc/twinset/secrets/sql-a, with mode 0600");
    insta::assert_snapshot!(WINDOWS.secret("password", r"C:\s\sql-a"), @r"put the password alone into C:\s\sql-a: twinset secret seal C:\s\sql-a");
    insta::assert_snapshot!(LINUX.credential("sql-a"), @"add `LoadCredential=sql-a:FILE` to the systemd unit");
}
