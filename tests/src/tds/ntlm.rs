//! NTLM as a server asks for it and judges it ([MS-NLMP]), version 2 alone: what SQL Server does with
//! the accounts of its Windows. Keys are compared, sessions are neither signed nor sealed.

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;

use super::bytes::{Cursor, Malformed, put_utf16, utf16};
use crate::instance::moment::Moment;

/// How each message begins.
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Unicode, target wanted, NTLM, target is a domain, extended session security, target information,
/// version.
const FLAGS: u32 = 0x0289_0205;
/// What a server grants where it is asked for: sign, seal, sign always, 128 and 56 bits, key exchange.
const GRANTED: u32 = 0xE000_8030;
/// The session's key is sent, sealed by that of the proof.
const KEY_EXCHANGE: u32 = 0x4000_0000;
/// Facts of a target: names, flags, time.
const HOST: u16 = 1;
const DOMAIN: u16 = 2;
const DNS_HOST: u16 = 3;
const DNS_DOMAIN: u16 = 4;
const AV_FLAGS: u16 = 6;
const TIME: u16 = 7;
/// In the flags: the answer bears a check over all three messages.
const CHECKED: u32 = 2;
/// Where that check lies.
const CHECK: std::ops::Range<usize> = 72..88;
/// Windows Server 2022 and the revision of the protocol, as its messages bear them.
const VERSION: [u8; 8] = [10, 0, 0x7C, 0x4F, 0, 0, 0, 15];
/// Fixed part of a challenge.
const CHALLENGE_FIXED: usize = 56;
/// Fixed part of an answer, with version and check.
const ANSWER_FIXED: usize = 88;
/// Seconds from 1601 to 1970.
const TO_1970: u64 = 11_644_473_600;
/// Shortest answer of version 2: the proof, and the fixed part of what it covers.
const PROOF: usize = 16;
const V2_LEAST: usize = PROOF + 28;

/// Whether a login begins a negotiation.
#[must_use]
pub fn is_negotiation(blob: &[u8]) -> bool {
    kind(blob) == Some(1)
}

/// A time in 100 ns since 1601, as Windows counts it.
fn ticks(time: Moment) -> u64 {
    let seconds = u64::try_from(time.to_unix()).unwrap_or(0);
    (seconds + TO_1970) * 10_000_000
}

fn kind(blob: &[u8]) -> Option<u32> {
    let rest = blob.strip_prefix(SIGNATURE)?;
    Some(u32::from_le_bytes(*rest.first_chunk()?))
}

/// What a server asks: eight bytes that nobody knew before.
#[derive(Debug)]
pub struct Challenge {
    nonce: [u8; 8],
    /// What the client began with.
    negotiation: Vec<u8>,
    message: Vec<u8>,
}

impl Challenge {
    /// The answer to a negotiation, of a server in a domain.
    #[must_use]
    pub fn new(negotiation: &[u8], domain: &str, host: &str, now: Moment) -> Self {
        let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
        let nonce = high.to_le_bytes();
        let text = |text: &str| {
            let mut out = Vec::new();
            put_utf16(&mut out, text);
            out
        };
        let dns = format!("{}.example", domain.to_lowercase());
        let mut facts = Vec::new();
        for (id, value) in [
            (DOMAIN, text(domain)),
            (HOST, text(host)),
            (DNS_DOMAIN, text(&dns)),
            (DNS_HOST, text(&format!("{}.{dns}", host.to_lowercase()))),
            (TIME, ticks(now).to_le_bytes().to_vec()),
            (0, Vec::new()),
        ] {
            facts.extend(id.to_le_bytes());
            facts.extend((value.len() as u16).to_le_bytes());
            facts.extend(value);
        }
        let asked = negotiation
            .get(12..16)
            .and_then(|flags| flags.first_chunk());
        let flags = FLAGS | GRANTED & asked.map_or(0, |flags| u32::from_le_bytes(*flags));
        let target = text(domain);
        let mut message = SIGNATURE.to_vec();
        message.extend(2_u32.to_le_bytes());
        let place = |out: &mut Vec<u8>, length: usize, at: usize| {
            out.extend((length as u16).to_le_bytes());
            out.extend((length as u16).to_le_bytes());
            out.extend((at as u32).to_le_bytes());
        };
        place(&mut message, target.len(), CHALLENGE_FIXED);
        message.extend(flags.to_le_bytes());
        message.extend(nonce);
        message.extend([0; 8]);
        place(&mut message, facts.len(), CHALLENGE_FIXED + target.len());
        message.extend(VERSION);
        message.extend(target);
        message.extend(facts);
        Self {
            nonce,
            negotiation: negotiation.to_vec(),
            message,
        }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Judges an answer.
    ///
    /// # Errors
    /// An answer that is none.
    pub fn judge(
        &self,
        blob: &[u8],
        password: impl Fn(&str) -> Option<String>,
    ) -> Result<Answer, Malformed> {
        if kind(blob) != Some(3) || blob.len() < ANSWER_FIXED {
            return Err(Malformed("no answer of NTLM"));
        }
        let field = |at: usize| {
            let mut head = Cursor::new(&blob[at..]);
            let length = usize::from(head.u16()?);
            head.take(2)?;
            let from = head.u32()? as usize;
            let found = blob.get(from..from.saturating_add(length));
            found.ok_or(Malformed("NTLM field beyond the end"))
        };
        let (response, sealed) = (field(20)?, field(52)?);
        let (domain, user) = (utf16(field(28)?), utf16(field(36)?));
        let account = format!("{domain}\\{user}");
        let flags = Cursor::new(&blob[60..]).u32()?;
        let proven = response.len() >= V2_LEAST
            && password(&account).is_some_and(|password| {
                let (proof, covered) = response.split_at(PROOF);
                let key = key_of(&password, (&user, &domain));
                let base = keyed(&key, &[proof]);
                let session = match flags & KEY_EXCHANGE {
                    0 => base,
                    _ => rc4(&base, sealed),
                };
                proof == keyed(&key, &[&self.nonce, covered])
                    && (!is_checked(covered) || self.check(&session, blob) == blob[CHECK])
            });
        Ok(Answer { account, proven })
    }

    /// MIC of [MS-NLMP] 3.1.5.1.2: over all three messages, itself zero.
    fn check(&self, session: &[u8; 16], answer: &[u8]) -> [u8; 16] {
        let (before, behind) = (&answer[..CHECK.start], &answer[CHECK.end..]);
        let parts = [
            &self.negotiation[..],
            &self.message,
            before,
            &[0; 16],
            behind,
        ];
        keyed(session, &parts)
    }
}

/// NTOWFv2 of [MS-NLMP] 3.3.2.
fn key_of(password: &str, (user, domain): (&str, &str)) -> [u8; 16] {
    let mut text = Vec::new();
    put_utf16(&mut text, password);
    let hash = Md4::digest(&text);
    let mut name = Vec::new();
    put_utf16(&mut name, &format!("{}{domain}", user.to_uppercase()));
    keyed(&hash, &[&name])
}

/// Whether what a proof covers says that the answer bears a check.
fn is_checked(covered: &[u8]) -> bool {
    let mut facts = Cursor::new(covered.get(28..).unwrap_or_default());
    while let (Ok(id), Ok(length)) = (facts.u16(), facts.u16()) {
        let Ok(value) = facts.take(usize::from(length)) else {
            return false;
        };
        if id == AV_FLAGS {
            let flags = value
                .first_chunk()
                .map_or(0, |flags| u32::from_le_bytes(*flags));
            return flags & CHECKED != 0;
        }
    }
    false
}

/// The one key that RC4 opens here: a session's.
fn rc4(key: &[u8; 16], sealed: &[u8]) -> [u8; 16] {
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % 16]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j, mut open) = (0_u8, 0_u8, [0; 16]);
    for (to, from) in open.iter_mut().zip(sealed) {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        *to = from ^ state[usize::from(at)];
    }
    open
}

/// Who answered, and whether with his password.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// `DOMAIN\user`.
    pub account: String,
    /// The proof is that of the account's password.
    pub proven: bool,
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else {
        return [0; 16];
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
