#![allow(clippy::unwrap_used)]
use super::*;

#[cfg(unix)]
#[test]
fn the_test_itself_is_as_long_as_it_says() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let least = least_length(&bytes[..65536]).unwrap();
    assert!(
        (4096..=bytes.len() as u64).contains(&least),
        "{least} of {}",
        bytes.len()
    );
}

#[test]
fn what_is_no_library_says_nothing() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    for length in [0, 1, 4, 5, 6, 63, 64, 100] {
        assert_eq!(least_length(&bytes[..length]), None, "{length}");
    }
    assert_eq!(least_length(b"#!/bin/sh\n"), None);
    let mut wild = bytes[..4096].to_vec();
    wild[32..40].fill(0xff);
    assert_eq!(least_length(&wild), None);
}
