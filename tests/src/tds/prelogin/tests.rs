#![allow(clippy::unwrap_used, clippy::panic)]

use super::ServerEncryption as S;
use super::*;

fn client(encryption: u8) -> Prelogin {
    // VERSION at 11 with 6 bytes, ENCRYPTION at 17 with 1.
    let table = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF];
    let body = [&table[..], &[9, 0, 0, 0, 0, 0, encryption]].concat();
    Prelogin::parse(&body).unwrap()
}

#[test]
fn both_settings_decide_the_channel() {
    // Rows: client byte; columns: server off, on, required, without TLS (facts: tds.md 6.2).
    let expected = [
        (
            0,
            [
                (Channel::LoginOnly, 0),
                (Channel::Full, 3),
                (Channel::Full, 3),
                (Channel::Plain, 2),
            ],
        ),
        (
            1,
            [
                (Channel::Full, 1),
                (Channel::Full, 1),
                (Channel::Full, 3),
                (Channel::Plain, 2),
            ],
        ),
        (
            3,
            [
                (Channel::Full, 1),
                (Channel::Full, 1),
                (Channel::Full, 3),
                (Channel::Plain, 2),
            ],
        ),
        (
            2,
            [
                (Channel::Plain, 2),
                (Channel::Refused, 3),
                (Channel::Refused, 3),
                (Channel::Plain, 2),
            ],
        ),
    ];
    for (byte, row) in expected {
        for (server, wanted) in [S::Off, S::On, S::Required, S::NotSupported]
            .into_iter()
            .zip(row)
        {
            assert_eq!(
                client(byte).negotiate(server, false),
                wanted,
                "client {byte}, {server:?}"
            );
        }
    }
    assert_eq!(client(3).negotiate(S::Required, true), (Channel::Plain, 3));
}

#[test]
fn only_what_was_asked_is_answered() {
    let body = client(3).answer([16, 0, 0x10, 0x8C, 0, 0], 3, true);
    let table = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF];
    assert_eq!(body, [&table[..], &[16, 0, 0x10, 0x8C, 0, 0, 3]].concat());
}

#[test]
fn a_table_that_points_outside_is_refused() {
    assert!(Prelogin::parse(&[]).is_err());
    assert!(Prelogin::parse(&[1, 0, 200, 0, 1, 0xFF]).is_err());
    assert!(Prelogin::parse(&[1, 0, 6, 0, 1]).is_err());
}
