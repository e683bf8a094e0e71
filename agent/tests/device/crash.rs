//! A process killed in the middle of a write leaves a leftover and nothing else; and what a write
//! does to the medium comes in the right order.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use twinset::device::{Access, Mount};

use crate::plugins::{KEY, Place, RUN, get, put, section};

/// Run as a process of its own by the test below; it never ends by itself.
#[test]
#[ignore = "the process that is killed"]
fn process_that_writes_for_ever() {
    let Some(path) = std::env::var_os("TWINSET_TEST_PLACE") else {
        return;
    };
    let mut handle = crate::plugins::open_disk(path.as_ref(), Access::Write);
    handle.mount(Mount::Existing(KEY)).unwrap();
    let mut index = 1;
    loop {
        handle.begin_section(&section(index, "a.bak")).unwrap();
        for _ in 0..8 {
            handle.write(&[0x77; 4096]).unwrap();
        }
        handle.put_record(&format!("r{index}"), b"whole").unwrap();
        handle.end_section().unwrap();
        println!("section {index}");
        index += 1;
    }
}

#[test]
fn a_killed_process_leaves_whole_sections_one_leftover_and_a_free_lock() {
    for round in 0..5 {
        let place = Place::new();
        put(&mut place.blank(), 0, "header.mtf", b"h");
        let name = "crash::process_that_writes_for_ever";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", name, "--nocapture"])
            .env("TWINSET_TEST_PLACE", place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let last = format!("section {}", 5 + round);
        assert!(lines.any(|line| line.unwrap().contains(&last)));
        child.kill().unwrap();
        child.wait().unwrap();

        let mut handle = place.existing(Access::Write);
        let sections = handle.sections().unwrap();
        assert!(sections.len() as u64 > 5 + round);
        for entry in &sections[1..] {
            assert_eq!(get(&mut handle, entry.index), vec![0x77; 8 * 4096]);
        }
        for record in handle.list_records().unwrap() {
            assert_eq!(handle.get_record(&record.name).unwrap(), b"whole");
        }
        let left = handle.leftovers().unwrap();
        assert!(left.len() <= 2, "{left:?}");
        for leftover in left {
            assert!(
                leftover.run_id == Some(RUN) || leftover.index.is_none(),
                "{leftover:?}"
            );
            handle.remove_leftover(&leftover.name).unwrap();
        }
        assert!(handle.leftovers().unwrap().is_empty());
    }
}

/// Run under `strace` by the test below.
#[test]
#[ignore = "the process whose system calls are watched"]
fn process_that_writes_one_section_and_one_record() {
    let Some(path) = std::env::var_os("TWINSET_TEST_PLACE") else {
        return;
    };
    let mut handle = crate::plugins::open_disk(path.as_ref(), Access::Write);
    handle.mount(Mount::Existing(KEY)).unwrap();
    put(&mut handle, 1, "a.bak", b"bytes");
    handle.put_record("r", b"record").unwrap();
}

#[test]
fn bytes_are_durable_before_the_name_and_the_name_before_the_answer() {
    let place = Place::new();
    drop(place.blank());
    let trace = place.path().join("trace.txt");
    let name = "crash::process_that_writes_one_section_and_one_record";
    let traced = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=write,fsync,renameat2", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name])
        .env("TWINSET_TEST_PLACE", place.path())
        .output();
    if !traced.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: strace is not here, or not permitted");
        return;
    }
    let trace = std::fs::read_to_string(trace).unwrap();
    let volume = place.volume().canonicalize().unwrap();
    let folder = format!("{}>", volume.display());
    let step = |line: &str| {
        let work = line.contains("/.work.");
        match () {
            () if line.contains("write(") && work => Some("write"),
            () if line.contains("fsync(") && work => Some("sync file"),
            () if line.contains("renameat2(") && line.contains("RENAME_NOREPLACE") => Some("place"),
            () if line.contains("fsync(") && line.contains(&folder) => Some("sync folder"),
            () => None,
        }
    };
    let steps: Vec<_> = trace.lines().filter_map(step).collect();
    let order = ["write", "sync file", "place", "sync folder"];
    assert_eq!(steps, [order, order].concat(), "{trace}");
}
