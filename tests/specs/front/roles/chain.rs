//! The chain of backups across a switch.

use super::{A, B, Pair};

#[test]
fn the_new_principal_begins_with_what_its_agent_can_stand_on() {
    let mut pair = Pair::start();
    pair.take(A, "full", &[]).ended(0);
    pair.write(A, "one");
    pair.take(A, "log", &[]).ended(0);
    pair.fail_over(A);
    pair.write(B, "two");
    let result = pair.take(B, "log", &[]).ended(0).result();
    let kind = result["sets"][0]["kind"].as_str().unwrap().to_owned();
    assert!(["full", "log"].contains(&kind.as_str()), "{result}");
    // Back again: A's own chain goes on as far as the server's log does.
    pair.fail_over(B);
    pair.write(A, "three");
    let ran = pair.take(A, "log", &[]);
    assert!([0, 3].contains(&ran.code), "{ran:?}");
}
