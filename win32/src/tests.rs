#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;

use crate::security::{Keep, Stranger};
use crate::text::{is_reserved, verbatim};
use crate::{file, host, pipe, process, protect, security};

#[test]
fn paths_become_such_that_windows_takes_as_they_stand() {
    let rows = [
        (r"C:\a\b", r"\\?\C:\a\b"),
        ("C:/a/./b/../c", r"\\?\C:\a\c"),
        (r"\\server\share\a", r"\\?\UNC\server\share\a"),
        (r"\\?\C:\a", r"\\?\C:\a"),
        (r"\\.\pipe\a", r"\\.\pipe\a"),
    ];
    for (given, wanted) in rows {
        assert_eq!(verbatim(Path::new(given)).unwrap(), Path::new(wanted));
    }
}

#[test]
fn names_of_devices_are_known_by_any_spelling() {
    for name in [
        "CON",
        "nul.record",
        "Com1.full.bak",
        "lpt³",
        "a.",
        "b ",
        "PRN .x",
    ] {
        assert!(is_reserved(name), "{name}");
    }
    for name in [
        "console",
        "0001.con.full.bak",
        "COM10",
        "COM",
        "nulls",
        ".lock",
    ] {
        assert!(!is_reserved(name), "{name}");
    }
}

#[test]
fn a_name_is_given_once_and_replaced_on_order_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a"), "a").unwrap();
    fs::write(at("b"), "b").unwrap();
    let error = file::place(&at("a"), &at("b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(at("b")).unwrap(), b"b");
    file::replace(&at("a"), &at("b")).unwrap();
    assert_eq!(fs::read(at("b")).unwrap(), b"a");
    file::sync_folder(folder.path()).unwrap();
    file::place(&at("b"), &at("c")).unwrap();
    assert!(!at("b").exists());
}

#[test]
fn a_path_of_a_thousand_letters_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut deep = verbatim(folder.path()).unwrap();
    for _ in 0..10 {
        deep.push("d".repeat(100));
        fs::create_dir(&deep).unwrap();
    }
    fs::write(deep.join("a"), "a").unwrap();
    file::place(&deep.join("a"), &deep.join("b")).unwrap();
    assert_eq!(fs::read(deep.join("b")).unwrap(), b"a");
    let (free, size) = file::space(folder.path()).unwrap();
    assert!(0 < free && free <= size);
}

#[test]
fn a_lock_has_one_holder_and_lets_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let open = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .unwrap()
    };
    let mut first = open();
    assert!(file::try_lock(&first).unwrap());
    first.write_all(b"me").unwrap();
    let second = open();
    assert!(!file::try_lock(&second).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"me");
    assert_eq!(
        file::identity(&first).unwrap(),
        file::identity(&second).unwrap()
    );
    drop(first);
    assert!(file::try_lock(&second).unwrap());
}

#[test]
fn an_open_folder_keeps_its_name() {
    let above = tempfile::tempdir().unwrap();
    let (from, to) = (above.path().join("a"), above.path().join("b"));
    fs::create_dir(&from).unwrap();
    let open = file::open_folder(&from).unwrap();
    assert!(fs::rename(&from, &to).is_err());
    drop(open);
    fs::rename(&from, &to).unwrap();
    fs::write(above.path().join("f"), "").unwrap();
    assert!(file::open_folder(&above.path().join("f")).is_err());
}

#[test]
fn a_private_file_is_ours_and_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("x").join("y");
    security::make_private_folder(&inside).unwrap();
    security::make_private_folder(&inside).unwrap();
    let path = inside.join("secret");
    let mut made = security::create_private(&path).unwrap();
    made.write_all(b"secret").unwrap();
    drop(made);
    assert_eq!(
        security::create_private(&path).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(security::stranger(&path, Keep::Reading).unwrap(), None);
    assert_eq!(security::stranger(&inside, Keep::Writing).unwrap(), None);
}

#[test]
fn a_file_that_others_may_write_is_named_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let everybody = "D:P(A;;FA;;;WD)";
    security::tests_only::create_with(&path, everybody).unwrap();
    let found = security::stranger(&path, Keep::Writing).unwrap();
    assert!(matches!(found, Some(Stranger::Writes(_))), "{found:?}");
    let private = folder.path().join("private");
    drop(security::create_private(&private).unwrap());
    security::like(&path, &private).unwrap();
    assert_eq!(security::stranger(&path, Keep::Reading).unwrap(), None);
}

#[test]
fn this_process_lives_and_an_ended_one_does_not() {
    let me = process::look(std::process::id()).unwrap().unwrap();
    assert!(!me.ended && me.started > 0);
    let mut child = std::process::Command::new("cmd")
        .args(["/c", "exit"])
        .spawn()
        .unwrap();
    let id = child.id();
    child.wait().unwrap();
    // Our own handle still keeps it known.
    assert!(
        process::look(id)
            .unwrap()
            .is_none_or(|process| process.ended)
    );
}

#[test]
fn the_host_has_a_name_and_an_id() {
    assert!(!host::name().unwrap().is_empty());
    let id = host::machine_id().unwrap();
    assert_eq!(id, host::machine_id().unwrap());
    assert!(id.len() >= 32, "{id}");
}

#[test]
fn what_is_sealed_is_opened_here_and_a_change_is_noticed() {
    let mut sealed = protect::seal(b"secret").unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"secret"));
    assert_eq!(protect::open(&sealed).unwrap(), b"secret");
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    assert!(protect::open(&sealed).is_err());
}

#[test]
fn a_pipe_carries_words_between_those_who_trust_each_other() {
    let name = format!("twinset-test-{}", std::process::id());
    assert_eq!(
        pipe::connect(&name).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let listener = pipe::Listener::new(&name).unwrap();
    let serve = std::thread::spawn(move || {
        for _ in 0..3 {
            let stream = listener.accept().unwrap();
            assert!(pipe::client_is_trusted(&stream).unwrap());
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            (&stream).write_all(line.to_uppercase().as_bytes()).unwrap();
        }
    });
    for _ in 0..3 {
        let stream: File = pipe::connect(&name).unwrap();
        assert!(pipe::server_is_trusted(&stream).unwrap());
        (&stream).write_all(b"words\n").unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        assert_eq!(line, "WORDS\n");
    }
    serve.join().unwrap();
}

#[test]
#[ignore = "Wine 8 does not know FILE_FLAG_FIRST_PIPE_INSTANCE"]
fn a_pipe_has_one_listener() {
    let name = format!("twinset-twice-{}", std::process::id());
    let _first = pipe::Listener::new(&name).unwrap();
    assert!(pipe::Listener::new(&name).is_err());
}
