//! Attention and KILL.

use std::time::{Duration, Instant};

use twinset_tests::instance::faults::{AttentionForm, Faults};

use super::World;
use super::wire::{Client, Seen};

const ACK: Seen = Seen::Done(0x20, 0xFD);

fn wait_until_running(client: &mut Client, spid: i32) {
    let sql = format!(
        "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE session_id = {spid} AND command = 'SELECT'"
    );
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        client.batch(&sql);
        if client.tokens().contains(&Seen::Row(1)) {
            return;
        }
        assert!(Instant::now() < deadline, "session {spid} does not run");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_response_ends_and_the_acknowledgement_follows_alone() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    let begun = Instant::now();
    client.batch("WAITFOR DELAY '00:00:30'");
    client.attention();
    assert_eq!(client.tokens(), [Seen::Done(2, 0)]);
    assert_eq!(client.tokens(), [ACK]);
    assert!(begun.elapsed() < Duration::from_secs(5));
    client.batch("SELECT 1");
    assert!(client.tokens().contains(&Seen::Row(1)));
}

#[test]
fn an_idle_attention_is_acknowledged() {
    let world = World::start("not-supported");
    let mut client = Client::login(world.port());
    client.attention();
    assert_eq!(client.tokens(), [ACK]);
}

#[test]
fn the_acknowledgement_can_close_the_open_message_instead() {
    let world = World::start("not-supported");
    let attention = AttentionForm::Inside;
    world.lab.instances[0].instance.set_faults(Faults {
        attention,
        ..Faults::default()
    });
    let mut client = Client::login(world.port());
    client.batch("WAITFOR DELAY '00:00:30'");
    client.attention();
    assert_eq!(client.tokens().last(), Some(&ACK));
}

#[test]
fn kill_ends_the_other_session() {
    let world = World::start("not-supported");
    let mut victim = Client::login(world.port());
    let mut killer = Client::login(world.port());
    victim.batch("WAITFOR DELAY '00:00:30'");
    wait_until_running(&mut killer, 51);
    killer.batch("KILL 51");
    assert_eq!(killer.tokens(), [Seen::Done(0, 0)]);
    assert!(victim.tokens().contains(&Seen::Error(596)));
    assert!(victim.is_closed());
    killer.batch("KILL 51");
    assert_eq!(killer.tokens()[0], Seen::Error(6106));
    killer.batch("KILL @@SPID");
    assert_eq!(killer.tokens()[0], Seen::Error(6104));
}

#[test]
fn a_lost_connection_ends_its_session() {
    let world = World::start("not-supported");
    let mut gone = Client::login(world.port());
    let mut watcher = Client::login(world.port());
    gone.batch("WAITFOR DELAY '00:00:30'");
    wait_until_running(&mut watcher, 51);
    drop(gone);
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        watcher.batch("SELECT COUNT(*) FROM sys.dm_exec_sessions");
        if watcher.tokens().contains(&Seen::Row(1)) {
            return;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}
