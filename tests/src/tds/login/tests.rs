#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::tds::bytes::put_utf16;

/// LOGIN7 as a client writes it.
fn login7(user: &str, password: &str, database: &str) -> Vec<u8> {
    let mut fixed = vec![0_u8; FIXED];
    let mut data = Vec::new();
    fixed[4..8].copy_from_slice(&0x7400_0004_u32.to_le_bytes());
    fixed[8..12].copy_from_slice(&8000_u32.to_le_bytes());
    fixed[26] = 0x20;
    let fields = [
        ("host", 0),
        (user, 1),
        (password, 2),
        ("app", 3),
        (database, 8),
    ];
    for (text, slot) in fields {
        let offset = FIXED + data.len();
        let mut bytes = Vec::new();
        let units = put_utf16(&mut bytes, text);
        if slot == 2 {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = byte.rotate_left(4) ^ 0xA5);
        }
        data.extend(bytes);
        let at = 36 + slot * 4;
        fixed[at..at + 2].copy_from_slice(&(offset as u16).to_le_bytes());
        fixed[at + 2..at + 4].copy_from_slice(&(units as u16).to_le_bytes());
    }
    [fixed, data].concat()
}

#[test]
fn a_login_is_read() {
    let login = Login::parse(&login7("sa", "Pä§s\u{1F600}", "master")).unwrap();
    assert_eq!(
        (login.user.as_str(), login.password.as_str()),
        ("sa", "Pä§s\u{1F600}")
    );
    assert_eq!(
        (login.database.as_str(), login.packet_size),
        ("master", 8000)
    );
    assert!(login.read_only && !login.integrated);
}

#[test]
fn cut_logins_are_refused_at_every_length() {
    let whole = login7("twinset", "secret", "master");
    for cut in 0..whole.len() {
        assert!(Login::parse(&whole[..cut]).is_err(), "cut at {cut}");
    }
}
