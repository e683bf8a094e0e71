//! Hosts whose clock is wrong: stores refuse what is signed at another time.

use std::env;

use super::server::Server;
use super::{mixed, with_each};
use crate::support::Ran;

/// Formats on a host whose clock is ahead of everybody's by so many seconds.
fn format_ahead(server: &Server, seconds: i64) -> Ran {
    let mut world = mixed(server, 1);
    let clock = env::var("TWINSET_STORE_CLOCK").unwrap();
    world.environment = vec![
        format!("LD_PRELOAD={clock}"),
        format!("CLOCK_AHEAD={seconds}"),
    ];
    world.json(&["media", "format", "payroll"])
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_clock_that_is_wrong_is_what_is_named_where_a_store_refuses_it() {
    with_each(|server| {
        let ran = format_ahead(server, 1800);
        if server.name == "azurite" {
            // Azure refuses after 15 minutes, Azurite never: all that is left is to say it.
            let told = ran.ended(0).result()["observed"].to_string();
            assert!(told.contains("clocks of host and store differ"), "{told}");
            return;
        }
        assert_ne!(ran.code, 0, "{}", server.name);
        let told = ran.object()["error"].to_string();
        // Google's tokens are signed with the time in them; what is refused is the token.
        let wanted = match server.is_s3() {
            true => "set the host's clock",
            false => "look at `credentials` and the clock",
        };
        assert!(told.contains(wanted), "{}: {told}", server.name);
    });
}

#[test]
#[ignore = "needs servers: make test-stores"]
fn a_clock_that_is_a_little_wrong_is_told_before_stores_refuse_it() {
    with_each(|server| {
        let told = format_ahead(server, -180).ended(0).result()["observed"].to_string();
        let mark = "clocks of host and store differ by ";
        let (_, rest) = told.split_once(mark).unwrap_or_else(|| panic!("{told}"));
        let (seconds, _) = rest.split_once(" seconds").unwrap();
        let seconds: u64 = seconds.parse().unwrap();
        assert!((170..=190).contains(&seconds), "{}: {told}", server.name);
    });
}
