#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_identity_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let first = StateDir::open(&path).unwrap().agent;
    assert_eq!(StateDir::open(&path).unwrap().agent, first);
}

#[test]
fn an_identity_of_another_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let agent = AgentId::random();
    let text = format!(r#"{{"agent":"{agent}","machine":"{}"}}"#, "ab".repeat(32));
    fs::write(folder.path().join("agent.json"), text).unwrap();
    assert_eq!(
        StateDir::open(folder.path()).unwrap_err().code,
        code::IDENTITY
    );
}

#[test]
fn a_damaged_identity_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("agent.json"), "{").unwrap();
    assert_eq!(
        StateDir::open(folder.path()).unwrap_err().code,
        code::STATE_DIR
    );
    assert_eq!(fs::read(folder.path().join("agent.json")).unwrap(), b"{");
}

#[test]
fn one_run_at_a_time_holds_a_media_set() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    let held = state.lock_media_set("payroll").unwrap();
    assert_eq!(
        state.lock_media_set("payroll").unwrap_err().code,
        code::STATE_LOCKED
    );
    state.lock_media_set("other").unwrap();
    drop(held);
    state.lock_media_set("payroll").unwrap();
}
