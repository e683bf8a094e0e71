//! Do names and literals of a statement come out of the double's own parser as they went in?
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use twinset::sqlserver::statement::{
    BackupStatement, Cipher, Compression, Encryption, Encryptor, Medium, Transfer,
};
use twinset_domain::BackupKind;
use twinset_tests::instance::query::Variables;
use twinset_tests::instance::statement::Reader;
use twinset_tests::instance::statement::lexer::tokens;
use twinset_tests::instance::transfer::Plan;
use twinset_tests::instance::version::Version;

/// Names of up to 128 UTF-16 units: quotes, brackets, line ends, every plane of Unicode.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("]".to_owned()),
        Just("]]".to_owned()),
        Just("'".to_owned()),
        Just("\r\n".to_owned()),
        Just("]; DROP DATABASE x; --".to_owned()),
        Just("/*".to_owned()),
        Just("\u{2019}\u{FF07}\u{FF3D}".to_owned()),
        (0_u32..17, 0x20_u32..0xFFFE).prop_filter_map("surrogate", |(plane, low)| {
            char::from_u32((plane << 16) | low).map(String::from)
        }),
    ];
    prop::collection::vec(piece, 1..64)
        .prop_map(|pieces| {
            let mut units = 0;
            let all = pieces.concat();
            let fits = |c: &char| {
                units += c.len_utf16();
                units <= 128
            };
            all.chars().take_while(fits).collect::<String>()
        })
        .prop_filter("empty", |name| !name.is_empty())
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        database in name(), device in name(), title in name(), by in name(),
        kind in prop_oneof![
            Just(BackupKind::Full), Just(BackupKind::Differential), Just(BackupKind::Log)
        ],
        families in 1_usize..=64,
    ) {
        let statement = BackupStatement {
            database: database.clone(),
            kind,
            devices: (0..families).map(|n| Medium::Virtual(format!("{device}{n}"))).collect(),
            transfer: Transfer {
                block_size: 4096,
                max_transfer_size: 1 << 20,
                buffer_count: 64,
            },
            copy_only: false,
            tail: None,
            over_damage: false,
            compression: Compression::On,
            encryption: Some(Encryption {
                cipher: Cipher::Aes256,
                encryptor: Encryptor::Certificate(by.clone()),
            }),
            name: Some(title.clone()),
        };
        let sql = statement.to_sql();
        let tokens = tokens(&sql).map_err(|m| TestCaseError::fail(m.text))?;
        let mut reader = Reader::new(&sql, &tokens);
        let plan = Plan::parse(&mut reader, &Variables::new(), &Version::default())
            .map_err(|m| TestCaseError::fail(format!("{}: {sql}", m.text)))?;
        prop_assert_eq!(&plan.database, &database);
        prop_assert_eq!(plan.devices.len(), families);
        prop_assert_eq!(&plan.devices[0], &format!("{device}0"));
        prop_assert_eq!(plan.text("NAME"), Some(title));
        prop_assert_eq!(plan.encryption(), Some(("AES_256", by.as_str(), true)));
        prop_assert_eq!(plan.has("DIFFERENTIAL"), kind == BackupKind::Differential);
        prop_assert!(plan.has("CHECKSUM") && plan.has("FORMAT") && plan.has("COMPRESSION"));
    }
}
