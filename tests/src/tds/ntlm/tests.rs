use super::*;

/// Facts of the sample of [MS-NLMP] 4.2.4: `Domain`, `Server`.
fn covered() -> Vec<u8> {
    let mut covered = vec![1, 1, 0, 0, 0, 0, 0, 0];
    covered.extend([0; 8]);
    covered.extend([0xaa; 8]);
    covered.extend([0; 4]);
    for (id, text) in [(DOMAIN, "Domain"), (HOST, "Server")] {
        covered.extend(id.to_le_bytes());
        covered.extend((text.len() as u16 * 2).to_le_bytes());
        put_utf16(&mut covered, text);
    }
    covered.extend([0; 8]);
    covered
}

/// User `User`, domain `Domain`, password `Password`, and the keys that follow.
#[test]
fn the_sample_of_the_specification_is_proven() {
    let key = key_of("Password", ("User", "Domain"));
    let nonce = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    let proof = keyed(&key, &[&nonce, &covered()]);
    assert_eq!(
        proof,
        0x68cd_0ab8_51e5_1c96_aabc_927b_ebef_6a1c_u128.to_be_bytes()
    );
    let base = keyed(&key, &[&proof]);
    assert_eq!(
        base,
        0x8de4_0cca_dbc1_4a82_f15c_b0ad_0de9_5ca3_u128.to_be_bytes()
    );
    let sealed = 0xc5da_d254_4fc9_7990_94ce_1ce9_0bc9_d03e_u128.to_be_bytes();
    assert_eq!(rc4(&base, &sealed), [0x55; 16]);
    assert!(!is_checked(&covered()));
}

#[test]
fn what_is_no_answer_is_refused() {
    let challenge = Challenge::new(&[], "LAB", "SQL-A", Moment::EPOCH);
    let asked = challenge.message().to_vec();
    assert_eq!(kind(&asked), Some(2));
    assert!(!is_negotiation(&asked) && !is_negotiation(b"NTLMSSP\0"));
    for blob in [&[][..], &asked, &SIGNATURE[..]] {
        assert!(challenge.judge(blob, |_| None).is_err());
    }
    let mut wild = asked;
    wild[8] = 3;
    wild.resize(ANSWER_FIXED, 0xff);
    wild[20..].fill(0xff);
    assert!(challenge.judge(&wild, |_| None).is_err());
}

/// An answer as clients of Windows write it: with a key exchanged and a check over all messages.
fn answer(challenge: &Challenge, password: &str) -> Vec<u8> {
    let (user, domain) = ("twinset", "LAB");
    let mut covered = covered();
    let end = covered.len() - 8;
    let flags = [AV_FLAGS.to_le_bytes(), 4_u16.to_le_bytes()].concat();
    covered.splice(end..end, [flags, CHECKED.to_le_bytes().to_vec()].concat());
    let key = key_of(password, (user, domain));
    let proof = keyed(&key, &[&challenge.nonce, &covered]);
    let session = [0x55; 16];
    // RC4 opens what it sealed.
    let sealed = rc4(&keyed(&key, &[&proof]), &session);
    let mut texts = [Vec::new(), Vec::new()];
    put_utf16(&mut texts[0], domain);
    put_utf16(&mut texts[1], user);
    let response = [&proof[..], &covered].concat();
    let [domain, user] = texts;
    let fields = [&[][..], &response, &domain, &user, &[], &sealed];
    let mut message = SIGNATURE.to_vec();
    message.extend(3_u32.to_le_bytes());
    let mut at = ANSWER_FIXED;
    for field in fields {
        let length = (field.len() as u16).to_le_bytes();
        message.extend([length, length].concat());
        message.extend((at as u32).to_le_bytes());
        at += field.len();
    }
    message.extend((FLAGS | KEY_EXCHANGE).to_le_bytes());
    message.extend(VERSION);
    message.extend([0; 16]);
    message.extend(fields.concat());
    let check = challenge.check(&session, &message);
    message[CHECK].copy_from_slice(&check);
    message
}

/// The check covers the whole answer, so whoever stands between can change nothing of it.
#[test]
fn every_changed_byte_of_an_answer_is_refused() {
    let challenge = Challenge::new(b"what the client began with", "LAB", "SQL-A", Moment::EPOCH);
    let judge = |blob: &[u8]| {
        let known = |account: &str| (account == "LAB\\twinset").then(|| "S3cret!".to_owned());
        challenge.judge(blob, known)
    };
    let good = answer(&challenge, "S3cret!");
    let account = "LAB\\twinset".to_owned();
    let proven = true;
    assert_eq!(judge(&good), Ok(Answer { account, proven }));
    let wrong = judge(&answer(&challenge, "s3cret!"));
    assert!(wrong.is_ok_and(|answer| !answer.proven));
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let judged = judge(&changed);
        assert!(!judged.is_ok_and(|answer| answer.proven), "byte {at}");
    }
}
