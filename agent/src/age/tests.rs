#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Cursor, Read};

use proptest::prelude::*;

use super::keys::{Identity, Recipient};
use super::{AgeError, Key, Lock, open, seal, sealed_length};

/// A pair that age-keygen made for this test.
const SECRET: &str = "AGE-SECRET-KEY-1NC7L74X49PRL0KMAVQEVD26WT7VPA0LN9LUG7WDV5QA00KGL9WTQ5QRVXL";
const PUBLIC: &str = "age1qntduavsd4xlc8rqpj52espu34he5e4qquqhkrfhjj52pf8vw3kqz3zsrl";

fn sealed(lock: &Lock<'_>, plain: &[u8], step: usize) -> Vec<u8> {
    let (mut file, mut sealer) = seal(lock).unwrap();
    let head = file.len();
    let mut out = |bytes: &[u8]| -> Result<(), AgeError> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    for part in plain.chunks(step.max(1)) {
        sealer.push(part, &mut out).unwrap();
    }
    sealer.finish(&mut out).unwrap();
    assert_eq!(
        (file.len() - head) as u64,
        sealed_length(plain.len() as u64)
    );
    file
}

fn opened(file: &[u8], key: &Key<'_>) -> Result<Vec<u8>, AgeError> {
    let mut plain = Vec::new();
    open(Cursor::new(file.to_vec()), key)?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 + n / 7) as u8).collect()
}

#[test]
fn keys_read_as_age_keygen_writes_them() {
    let text = format!("# created: now\n# public key: {PUBLIC}\n\n{SECRET}\n");
    let identities = Identity::parse_file(&text).unwrap();
    assert_eq!(identities.len(), 1);
    assert_eq!(identities[0].recipient().to_string(), PUBLIC);
    assert_eq!(Recipient::parse(PUBLIC).unwrap(), identities[0].recipient());
}

#[test]
fn a_key_is_never_shown() {
    let identity = Identity::parse(SECRET).unwrap();
    assert_eq!(format!("{identity:?}"), format!("Identity of {PUBLIC}"));
    let broken = SECRET.replace("NC7L", "NC7M");
    let why = Identity::parse_file(&broken).unwrap_err();
    assert_eq!(why, "line 1: it is no key of age: mistyped or cut off");
}

#[test]
fn what_is_no_key_is_refused_in_words() {
    let rows = [
        (
            SECRET,
            "this is a private key; a recipient begins with age1",
        ),
        (
            "ssh-ed25519 AAAA",
            "keys of ssh are not taken; make one with age-keygen",
        ),
        ("age1qqqq", "it is no key of age: mistyped or cut off"),
        ("", "it is no key of age: mistyped or cut off"),
    ];
    for (text, why) in rows {
        assert_eq!(Recipient::parse(text).unwrap_err(), why, "{text}");
    }
    let rows = [
        ("", "it holds no identity"),
        ("# nothing\n", "it holds no identity"),
        (
            PUBLIC,
            "line 1: this is a recipient; an identity begins with AGE-SECRET-KEY-1",
        ),
        (
            "age-encryption.org/v1\n",
            "it is encrypted or of another kind: store the identity itself",
        ),
    ];
    for (text, why) in rows {
        assert_eq!(Identity::parse_file(text).unwrap_err(), why, "{text}");
    }
}

#[test]
fn pieces_of_every_boundary_come_back() {
    let recipients = [Recipient::parse(PUBLIC).unwrap()];
    let identities = [Identity::parse(SECRET).unwrap()];
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 300_000] {
        let plain = bytes(length);
        let file = sealed(&Lock::Recipients(&recipients), &plain, 10_007);
        assert!(
            opened(&file, &Key::Identities(&identities)).unwrap() == plain,
            "{length}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_length_in_any_steps_comes_back(length in 0_usize..200_000, step in 1_usize..80_000) {
        let recipients = [Recipient::parse(PUBLIC).unwrap()];
        let identities = [Identity::parse(SECRET).unwrap()];
        let plain = bytes(length);
        let file = sealed(&Lock::Recipients(&recipients), &plain, step);
        prop_assert!(opened(&file, &Key::Identities(&identities)).unwrap() == plain);
    }

    #[test]
    fn no_altered_bit_opens(at in 0.0_f64..1.0, bit in 0_u8..8, length in 0_usize..140_000) {
        let recipients = [Recipient::parse(PUBLIC).unwrap()];
        let identities = [Identity::parse(SECRET).unwrap()];
        let mut file = sealed(&Lock::Recipients(&recipients), &bytes(length), 65_536);
        let place = ((file.len() - 1) as f64 * at) as usize;
        file[place] ^= 1 << bit;
        prop_assert!(opened(&file, &Key::Identities(&identities)).is_err());
    }

    #[test]
    fn no_file_cut_off_opens(at in 0.0_f64..1.0, length in 0_usize..140_000) {
        let recipients = [Recipient::parse(PUBLIC).unwrap()];
        let identities = [Identity::parse(SECRET).unwrap()];
        let file = sealed(&Lock::Recipients(&recipients), &bytes(length), 65_536);
        let cut = ((file.len() - 1) as f64 * at) as usize;
        prop_assert!(opened(&file[..cut], &Key::Identities(&identities)).is_err());
    }
}

#[test]
fn a_file_cut_off_between_two_pieces_does_not_open() {
    let recipients = [Recipient::parse(PUBLIC).unwrap()];
    let identities = [Identity::parse(SECRET).unwrap()];
    let file = sealed(&Lock::Recipients(&recipients), &bytes(131_072), 65_536);
    let cut = &file[..file.len() - 65_536 - 16];
    assert!(opened(cut, &Key::Identities(&identities)).is_err());
}

#[test]
fn another_key_is_told_apart_from_damage() {
    let recipients = [Recipient::parse(PUBLIC).unwrap()];
    let mine = [Identity::parse(SECRET).unwrap()];
    let other = Identity {
        secret: [7; 32],
        public: super::keys::public_of(&[7; 32]).unwrap(),
    };
    let file = sealed(&Lock::Recipients(&recipients), b"x", 1);
    let locked = sealed(&Lock::Passphrase("one"), b"x", 1);
    let rows = [
        (
            &file,
            Key::Identities(std::slice::from_ref(&other)),
            "it is sealed for other recipients",
        ),
        (
            &file,
            Key::Passphrase("one"),
            "it is sealed for recipients, not with a passphrase",
        ),
        (
            &locked,
            Key::Passphrase("two"),
            "the passphrase is another one",
        ),
        (
            &locked,
            Key::Identities(&mine),
            "it is sealed with a passphrase, not for a recipient",
        ),
    ];
    for (file, key, why) in rows {
        match opened(file, &key) {
            Err(AgeError::NoKey(found)) => assert_eq!(found, why),
            other => panic!("{why}: {other:?}"),
        }
    }
    assert_eq!(opened(&locked, &Key::Passphrase("one")).unwrap(), b"x");
}

#[test]
fn each_of_several_recipients_can_read() {
    let others: Vec<Identity> = (1..=3)
        .map(|n| Identity {
            secret: [n; 32],
            public: super::keys::public_of(&[n; 32]).unwrap(),
        })
        .collect();
    let recipients: Vec<Recipient> = others.iter().map(Identity::recipient).collect();
    let file = sealed(&Lock::Recipients(&recipients), b"shared", 2);
    for one in &others {
        let key = Key::Identities(std::slice::from_ref(one));
        assert_eq!(opened(&file, &key).unwrap(), b"shared");
    }
}

#[test]
fn a_header_without_end_is_bounded() {
    let endless = std::io::repeat(b'a');
    let key = Key::Passphrase("x");
    let source = std::io::BufReader::new(b"age-encryption.org/v1\n-> X25519 ".chain(endless));
    assert!(matches!(
        open(source, &key),
        Err(AgeError::Malformed("its header is cut off"))
    ));
    let greedy = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\n\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- AAAA\n";
    let failed = open(Cursor::new(greedy.to_vec()), &key).err();
    let why = failed.map(|error| error.to_string());
    assert_eq!(
        why.as_deref(),
        Some("it asks for more than 256 MiB to open")
    );
}

/// The program everybody has must read what is written here, and the other way round. Debian brings
/// it for Linux alone.
#[cfg(unix)]
#[test]
fn the_standard_tool_reads_it_and_is_read() {
    use std::process::{Command, Stdio};
    let have = Command::new("age").arg("--version").output().is_ok();
    if !have {
        assert!(
            std::env::var_os("TWINSET_CI").is_none(),
            "the gate needs age"
        );
        eprintln!("skipped: age is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (key, file) = (folder.path().join("key"), folder.path().join("file"));
    std::fs::write(&key, format!("{SECRET}\n")).unwrap();
    let plain = bytes(200_001);
    let recipients = [Recipient::parse(PUBLIC).unwrap()];
    std::fs::write(&file, sealed(&Lock::Recipients(&recipients), &plain, 9_999)).unwrap();
    let told = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(&key)
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    assert!(told.stdout == plain);

    let mut theirs = Command::new("age")
        .args(["-r", PUBLIC])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = theirs.stdin.take().unwrap();
    let copy = plain.clone();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &copy));
    let made = theirs.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let identities = [Identity::parse(SECRET).unwrap()];
    assert!(opened(&made.stdout, &Key::Identities(&identities)).unwrap() == plain);
}
