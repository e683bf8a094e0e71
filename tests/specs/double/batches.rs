//! Tokens of batches: result sets, MORE bits, progress while a statement runs, packet sizes.

use super::World;
use super::wire::{Client, Seen, tokens};

const MORE: u16 = 1;
const ERROR: u16 = 2;
const COUNT: u16 = 16;

#[test]
fn every_done_but_the_last_says_that_more_follows() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.batch("SELECT 1; SELECT 2; SELECT nme FROM sys.databases; SELECT 3");
    let set = |value, status| vec![Seen::Columns, Seen::Row(value), Seen::Done(status, 0xC1)];
    let expected = [
        set(1, COUNT | MORE),
        set(2, COUNT | MORE),
        // A name that cannot be bound ends the batch.
        vec![Seen::Error(207), Seen::Done(ERROR, 0xC1)],
    ];
    assert_eq!(client.tokens(), expected.concat());
}

#[test]
fn a_failed_backup_does_not_end_the_batch() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.batch("BACKUP DATABASE nope TO DISK = 'x' SELECT 1");
    let expected = [
        Seen::Error(911),
        Seen::Error(3013),
        Seen::Done(ERROR | MORE, 228),
        Seen::Columns,
        Seen::Row(1),
        Seen::Done(COUNT, 0xC1),
    ];
    assert_eq!(client.tokens(), expected);
}

#[test]
fn progress_comes_in_packets_of_its_own_and_success_comes_last() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.batch("BACKUP DATABASE Payroll TO DISK = 'p.bak' WITH STATS = 50");
    let (lengths, bytes) = client.answer();
    assert!(lengths.len() > 2, "{lengths:?}");
    let done = |status| Seen::Done(status, 228);
    let step = |number| vec![Seen::Info(number), done(MORE)];
    let expected = [
        step(3211),
        step(3211),
        step(4035),
        step(4035),
        vec![Seen::Info(3014), done(0)],
    ];
    assert_eq!(tokens(&bytes), expected.concat());
    assert!(world.folder.path().join("p.bak").exists());
}

#[test]
fn long_answers_come_in_full_packets_of_the_agreed_size() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.batch("SELECT * FROM sys.databases");
    let (lengths, _) = client.answer();
    let (last, full) = lengths.split_last().unwrap();
    assert!(
        full.len() > 3 && full.iter().all(|length| *length == 512 - 8),
        "{lengths:?}"
    );
    assert!(*last <= 512 - 8);
}

#[test]
fn transactions_are_announced_and_forbid_backup() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.batch("BEGIN TRAN; BACKUP DATABASE Payroll TO DISK = 'x'; ROLLBACK");
    let expected = [
        Seen::Env(8),
        Seen::Done(MORE, 0),
        Seen::Error(3021),
        Seen::Error(3013),
        Seen::Done(ERROR | MORE, 228),
        Seen::Env(10),
        Seen::Done(0, 0),
    ];
    assert_eq!(client.tokens(), expected);
}
