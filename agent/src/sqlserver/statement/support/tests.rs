#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::{Algorithm, Cipher, Encryptor, Level};
use super::*;

fn instance(major: u16, edition: &str, engine_edition: i64) -> InstanceFacts {
    InstanceFacts {
        server_name: "SQL-A".into(),
        machine_name: "SQL-A".into(),
        physical_name: None,
        instance_name: None,
        version: format!("{major}.0.1000.1"),
        major,
        edition: edition.into(),
        engine_edition,
        login: "twinset".into(),
        is_sysadmin: true,
        is_hadr: false,
    }
}

fn encryption() -> Encryption {
    Encryption {
        cipher: Cipher::Aes256,
        encryptor: Encryptor::Certificate("BackupCert".into()),
    }
}

#[test]
fn each_wish_has_a_version_and_an_edition() {
    let by = Compression::By;
    let zstd = by(Algorithm::Zstd(Some(Level::High)));
    let rows: [(Compression, bool, u16, &str, i64, bool); 14] = [
        (Compression::Default, false, 11, "Express Edition", 4, true),
        (Compression::Off, false, 11, "Express Edition", 4, true),
        (Compression::On, false, 11, "Express Edition", 4, false),
        (Compression::On, false, 16, "Web Edition (64-bit)", 2, false),
        (Compression::On, false, 11, "Standard Edition", 2, true),
        (Compression::On, false, 11, "Developer Edition", 3, true),
        (by(Algorithm::MsXpress), false, 15, "Enterprise", 3, false),
        (by(Algorithm::MsXpress), false, 16, "Enterprise", 3, true),
        (by(Algorithm::QatDeflate), false, 16, "Standard", 2, true),
        (zstd, false, 16, "Enterprise", 3, false),
        (zstd, false, 17, "Enterprise", 3, true),
        (Compression::Default, true, 11, "Enterprise", 3, false),
        (Compression::Default, true, 12, "Standard", 2, true),
        (Compression::Default, true, 16, "Express", 4, false),
    ];
    for (compression, encrypted, major, edition, engine, can) in rows {
        let encryption = encrypted.then(encryption);
        let instance = instance(major, edition, engine);
        let judged = supported(&instance, compression, encryption.as_ref());
        assert_eq!(
            judged.is_ok(),
            can,
            "{compression:?} {encrypted} {instance:?}"
        );
        if let Err(fault) = judged {
            assert_eq!(fault.code, code::NOT_SUPPORTED);
            assert!(!fault.remedy.is_empty() && !fault.causes.is_empty());
        }
    }
}
