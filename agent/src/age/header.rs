//! The header: the file key, wrapped for everyone who may open the file, under a MAC.

use std::io::{BufRead, Read};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::{hkdf, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

use super::keys::{Identity, Recipient};
use super::{AgeError, Key, Lock};

const VERSION: &str = "age-encryption.org/v1";
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const SCRYPT_SALT: &[u8] = b"age-encryption.org/v1/scrypt";
/// Longest header that is read, in bytes: some hundred recipients.
const MAX_HEADER: u64 = 64 << 10;
/// Columns of a stanza's body.
const COLUMNS: usize = 64;
/// Work for a passphrase, as a power of two: 2^16 x 1 KiB = 64 MiB and a fifth of a second.
pub(super) const WORK: u8 = 16;
/// Most work that is done to open a file: 256 MiB.
const MAX_WORK: u8 = 18;

/// Held while a key is derived from a passphrase.
static DERIVING: Mutex<()> = Mutex::new(());

/// Wrapped file keys have 16 bytes and a tag.
const WRAPPED: usize = 32;

/// The key of one file. Overwritten when dropped.
pub(super) struct FileKey(pub(super) [u8; 16]);

impl Drop for FileKey {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

/// One line of arguments and its body.
struct Stanza {
    args: Vec<String>,
    body: Vec<u8>,
}

/// A new file key, wrapped for everyone.
pub(super) fn write(lock: &Lock<'_>) -> Result<(Vec<u8>, FileKey), AgeError> {
    let file_key = FileKey(random()?);
    let stanzas = match lock {
        Lock::Recipients(recipients) => recipients
            .iter()
            .map(|recipient| wrap_x25519(recipient, &file_key))
            .collect::<Result<Vec<_>, _>>()?,
        Lock::Passphrase(passphrase) => vec![wrap_scrypt(passphrase, &file_key)?],
    };
    let mut text = format!("{VERSION}\n");
    for stanza in &stanzas {
        text.push_str("-> ");
        text.push_str(&stanza.args.join(" "));
        text.push('\n');
        let body = BASE64.encode(&stanza.body);
        // A body of 32 bytes is one line, shorter than 64 columns, which ends it.
        debug_assert!(body.len() < COLUMNS);
        text.push_str(&body);
        text.push('\n');
    }
    text.push_str("---");
    let mac = hmac::sign(&mac_key(&file_key)?, text.as_bytes());
    text.push(' ');
    text.push_str(&BASE64.encode(mac.as_ref()));
    text.push('\n');
    Ok((text.into_bytes(), file_key))
}

/// Reads a header and opens it.
pub(super) fn read(source: &mut impl BufRead, key: &Key<'_>) -> Result<FileKey, AgeError> {
    let mut source = source.take(MAX_HEADER);
    let mut raw = Vec::new();
    if line(&mut source, &mut raw)? != VERSION {
        return Err(AgeError::Malformed("it does not begin as an age file"));
    }
    let mut stanzas = Vec::new();
    let mac = loop {
        let before = raw.len();
        let head = line(&mut source, &mut raw)?;
        if let Some(args) = head.strip_prefix("-> ") {
            let args = args.split(' ').map(str::to_owned).collect();
            let body = body(&mut source, &mut raw)?;
            stanzas.push(Stanza { args, body });
            continue;
        }
        let Some(mac) = head.strip_prefix("--- ") else {
            return Err(AgeError::Malformed("its header is altered"));
        };
        raw.truncate(before + 3);
        break BASE64
            .decode(mac)
            .map_err(|_| AgeError::Malformed("its header is altered"))?;
    };
    let file_key = unwrap(&stanzas, key)?;
    hmac::verify(&mac_key(&file_key)?, &raw, &mac)
        .map_err(|_| AgeError::Malformed("its header is altered"))?;
    Ok(file_key)
}

/// The next line without its end; all bytes go to `raw` as they are.
fn line(source: &mut impl BufRead, raw: &mut Vec<u8>) -> Result<String, AgeError> {
    let start = raw.len();
    source.read_until(b'\n', raw)?;
    let bytes = raw.get(start..).unwrap_or_default();
    let text = bytes
        .strip_suffix(b"\n")
        .ok_or(AgeError::Malformed("its header is cut off"))?;
    String::from_utf8(text.to_vec()).map_err(|_| AgeError::Malformed("its header is altered"))
}

fn body(source: &mut impl BufRead, raw: &mut Vec<u8>) -> Result<Vec<u8>, AgeError> {
    let mut text = String::new();
    loop {
        let next = line(source, raw)?;
        text.push_str(&next);
        if next.len() < COLUMNS {
            break;
        }
    }
    BASE64
        .decode(text)
        .map_err(|_| AgeError::Malformed("its header is altered"))
}

fn unwrap(stanzas: &[Stanza], key: &Key<'_>) -> Result<FileKey, AgeError> {
    for stanza in stanzas {
        let opened = match (key, stanza.args.first().map(String::as_str)) {
            (Key::Identities(identities), Some("X25519")) => unwrap_x25519(stanza, identities)?,
            (Key::Passphrase(passphrase), Some("scrypt")) if stanzas.len() == 1 => {
                unwrap_scrypt(stanza, passphrase)?
            }
            _ => None,
        };
        if let Some(file_key) = opened {
            return Ok(file_key);
        }
    }
    let sealed: Vec<&str> = stanzas
        .iter()
        .filter_map(|stanza| stanza.args.first().map(String::as_str))
        .collect();
    let kind = match (key, sealed.contains(&"scrypt")) {
        (Key::Identities(_), true) => "it is sealed with a passphrase, not for a recipient",
        (Key::Passphrase(_), false) => "it is sealed for recipients, not with a passphrase",
        (Key::Identities(_), false) => "it is sealed for other recipients",
        (Key::Passphrase(_), true) => "the passphrase is another one",
    };
    Err(AgeError::NoKey(kind.to_owned()))
}

fn wrap_x25519(recipient: &Recipient, file_key: &FileKey) -> Result<Stanza, AgeError> {
    let ephemeral =
        PrivateKey::generate(&X25519).map_err(|_| AgeError::Crypto("key generation"))?;
    let share = ephemeral
        .compute_public_key()
        .map_err(|_| AgeError::Crypto("public key"))?;
    let key = x25519_key(&ephemeral, &recipient.0, share.as_ref(), &recipient.0)?;
    Ok(Stanza {
        args: vec!["X25519".to_owned(), BASE64.encode(share.as_ref())],
        body: wrap(&key, file_key)?,
    })
}

fn unwrap_x25519(stanza: &Stanza, identities: &[Identity]) -> Result<Option<FileKey>, AgeError> {
    let share = match stanza.args.as_slice() {
        [_, share] => BASE64.decode(share).ok().filter(|share| share.len() == 32),
        _ => None,
    };
    let Some(share) = share.filter(|_| stanza.body.len() == WRAPPED) else {
        return Err(AgeError::Malformed("a recipient in its header is altered"));
    };
    for identity in identities {
        let private = PrivateKey::from_private_key(&X25519, &identity.secret)
            .map_err(|_| AgeError::Crypto("private key"))?;
        let key = x25519_key(&private, &share, &share, &identity.public)?;
        if let Some(file_key) = unwrap_with(&key, &stanza.body)? {
            return Ok(Some(file_key));
        }
    }
    Ok(None)
}

/// HKDF of the shared secret, salted with both public keys.
fn x25519_key(
    ours: &PrivateKey,
    theirs: &[u8],
    share: &[u8],
    recipient: &[u8; 32],
) -> Result<[u8; 32], AgeError> {
    let failed = || AgeError::Crypto("key agreement");
    agree(
        ours,
        UnparsedPublicKey::new(&X25519, theirs),
        failed(),
        |secret| derive(&[share, recipient].concat(), secret, X25519_INFO),
    )
}

fn wrap_scrypt(passphrase: &str, file_key: &FileKey) -> Result<Stanza, AgeError> {
    let salt: [u8; 16] = random()?;
    let key = scrypt_key(passphrase, &salt, WORK)?;
    Ok(Stanza {
        args: vec!["scrypt".to_owned(), BASE64.encode(salt), WORK.to_string()],
        body: wrap(&key, file_key)?,
    })
}

fn unwrap_scrypt(stanza: &Stanza, passphrase: &str) -> Result<Option<FileKey>, AgeError> {
    let altered = AgeError::Malformed("the passphrase's part of its header is altered");
    let [_, salt, work] = stanza.args.as_slice() else {
        return Err(altered);
    };
    let salt = BASE64.decode(salt).ok().filter(|salt| salt.len() == 16);
    let work = work.parse::<u8>().ok().filter(|work| *work > 0);
    let (Some(salt), Some(work), WRAPPED) = (salt, work, stanza.body.len()) else {
        return Err(altered);
    };
    if work > MAX_WORK {
        return Err(AgeError::Malformed("it asks for more than 256 MiB to open"));
    }
    unwrap_with(&scrypt_key(passphrase, &salt, work)?, &stanza.body)
}

fn scrypt_key(passphrase: &str, salt: &[u8], work: u8) -> Result<[u8; 32], AgeError> {
    let failed = |_| AgeError::Crypto("scrypt");
    // The memory it takes is planned once, not once for each family.
    let _one = DERIVING.lock().unwrap_or_else(PoisonError::into_inner);
    let params = scrypt::Params::new(work, 8, 1, 32).map_err(failed)?;
    let mut key = [0; 32];
    scrypt::scrypt(
        passphrase.as_bytes(),
        &[SCRYPT_SALT, salt].concat(),
        &params,
        &mut key,
    )
    .map_err(|_| AgeError::Crypto("scrypt"))?;
    Ok(key)
}

fn wrap(key: &[u8; 32], file_key: &FileKey) -> Result<Vec<u8>, AgeError> {
    let mut body = file_key.0.to_vec();
    // Every wrapping key is used once, so the nonce may be zero: the format says so.
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    cipher(key)?
        .seal_in_place_append_tag(nonce, Aad::empty(), &mut body)
        .map_err(|_| AgeError::Crypto("seal"))?;
    Ok(body)
}

/// The file key, if this key wrapped it.
fn unwrap_with(key: &[u8; 32], body: &[u8]) -> Result<Option<FileKey>, AgeError> {
    let mut body = body.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let opened = cipher(key)?.open_in_place(nonce, Aad::empty(), &mut body);
    Ok(opened
        .ok()
        .and_then(|plain| <[u8; 16]>::try_from(&*plain).ok())
        .map(FileKey))
}

/// ChaCha20-Poly1305 under a key.
pub(super) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, AgeError> {
    let key =
        UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| AgeError::Crypto("cipher key"))?;
    Ok(LessSafeKey::new(key))
}

fn mac_key(file_key: &FileKey) -> Result<hmac::Key, AgeError> {
    let key = derive(&[], &file_key.0, b"header")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// HKDF-SHA-256 to 32 bytes.
pub(super) fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> Result<[u8; 32], AgeError> {
    let mut key = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| AgeError::Crypto("key derivation"))?;
    Ok(key)
}

/// Bytes that nobody can foresee.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AgeError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| AgeError::Crypto("random numbers"))?;
    Ok(bytes)
}
