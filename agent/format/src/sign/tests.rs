//! Do signatures hold what they promise?
#![allow(clippy::unwrap_used, clippy::panic)]

use super::{KeyProblem, PublicKey, Purpose, Signed, Signer, judge};

/// RFC 8032, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

#[test]
fn the_public_half_is_that_of_the_standard() {
    let signer = Signer::from_text(SEED).unwrap();
    assert_eq!(signer.public().to_string(), PUBLIC);
    assert_eq!(format!("{signer:?}"), format!("Signer({PUBLIC})"));
}

#[test]
fn a_made_key_is_read_again() {
    let (signer, text) = Signer::generate().unwrap();
    let again = Signer::from_text(&text).unwrap();
    assert_eq!(again.public(), signer.public());
    let (other, _) = Signer::generate().unwrap();
    assert_ne!(other.public(), signer.public());
    let pem = signer.public().to_pem();
    assert_eq!(PublicKey::from_text(&pem), Ok(signer.public()));
    let hex = format!(" {}\n", signer.public());
    assert_eq!(PublicKey::from_text(&hex), Ok(signer.public()));
}

#[test]
fn the_wrong_half_is_named() {
    let (signer, text) = Signer::generate().unwrap();
    assert_eq!(PublicKey::from_text(&text), Err(KeyProblem::PrivateGiven));
    let pem = signer.public().to_pem();
    assert_eq!(
        Signer::from_text(&pem).map(|signer| signer.public()),
        Err(KeyProblem::PublicOnly)
    );
    let rsa = text.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vx");
    for (text, problem) in [
        ("", KeyProblem::NoKey),
        (&SEED[1..], KeyProblem::NoKey),
        (&SEED.to_uppercase(), KeyProblem::NoKey),
        (&rsa, KeyProblem::OtherKind),
        (&text[..60], KeyProblem::NoKey),
    ] {
        let found = Signer::from_text(text).map(|signer| signer.public());
        assert_eq!(found, Err(problem), "{text}");
    }
}

#[test]
fn a_signature_holds_for_its_hash_its_key_and_its_purpose_alone() {
    let signer = Signer::from_text(SEED).unwrap();
    let (digest, other) = (blake3::hash(b"one"), blake3::hash(b"two"));
    let signature = signer.sign(Purpose::Record, &digest);
    let (key, text) = (Some(signer.public()), Some(signature.as_str()));
    let judged = |purpose, digest, key, text| judge(purpose, digest, key, text);
    assert_eq!(
        judged(Purpose::Record, &digest, key, text),
        Signed::By(signer.public())
    );
    assert_eq!(judged(Purpose::Record, &digest, None, None), Signed::No);
    let stranger = Some(Signer::generate().unwrap().0.public());
    for (purpose, digest, key, text) in [
        (Purpose::Manifest, &digest, key, text),
        (Purpose::Record, &other, key, text),
        (Purpose::Record, &digest, stranger, text),
        (Purpose::Record, &digest, key, None),
        (Purpose::Record, &digest, None, text),
        (Purpose::Record, &digest, key, Some(super::BLANK_SIGNATURE)),
        (Purpose::Record, &digest, key, text.map(|text| &text[2..])),
    ] {
        assert_eq!(judged(purpose, digest, key, text), Signed::Bad);
    }
}
