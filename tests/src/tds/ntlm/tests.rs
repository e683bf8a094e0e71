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
    let challenge = Challenge::new(&[], "LAB", "SQL-A", 0);
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
