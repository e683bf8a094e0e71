#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::instance::statement::lexer::tokens;

fn parse(text: &str) -> Result<Plan, ServerMessage> {
    let mut variables = Variables::new();
    let device = crate::tds::types::Value::Text("set".into());
    variables.insert(
        "@d".into(),
        (crate::tds::types::SqlType::NVarChar(10), device),
    );
    let tokens = tokens(text)?;
    Plan::parse(
        &mut Reader::new(text, &tokens),
        &variables,
        &Version::default(),
    )
}

#[test]
fn a_backup_with_all_that_the_agent_says() {
    let plan = parse(
        "BACKUP DATABASE [Pay]]roll] TO VIRTUAL_DEVICE = N'it''s', VIRTUAL_DEVICE = @d WITH \
         FORMAT, CHECKSUM, DIFFERENTIAL, STATS = 5, BLOCKSIZE = 4096, MAXTRANSFERSIZE = 1048576, \
         BUFFERCOUNT = 10, NAME = N'n';",
    )
    .unwrap();
    assert_eq!(plan.verb, Verb::BackupDatabase);
    assert_eq!(plan.database, "Pay]roll");
    assert_eq!(plan.devices, ["it's", "set"]);
    assert!(plan.has("CHECKSUM") && plan.has("DIFFERENTIAL") && !plan.has("COPY_ONLY"));
    assert_eq!(
        (plan.number("BLOCKSIZE"), plan.stats()),
        (Some(4096), Some(5))
    );
    assert_eq!(plan.text("NAME").as_deref(), Some("n"));
}

#[test]
fn a_restore_with_moves() {
    let plan = parse(
        "RESTORE DATABASE b FROM DISK = 'x' WITH MOVE N'a' TO N'/p', MOVE 'l' TO '/q', \
         REPLACE, STATS",
    )
    .unwrap();
    assert_eq!(plan.moves().collect::<Vec<_>>(), [("a", "/p"), ("l", "/q")]);
    assert_eq!(plan.stats(), Some(10));
    let bare = parse("RESTORE DATABASE b WITH RECOVERY").unwrap();
    assert!(bare.devices.is_empty());
}

#[test]
fn what_is_wrong_has_its_number() {
    let cases = [
        ("BACKUP DATABASE d TO DISK = 'x' WITH FOO", 155),
        ("BACKUP DATABASE d TO DISK = 'x' WITH REPLACE", 155),
        ("RESTORE DATABASE d FROM DISK = 'x' WITH COPY_ONLY", 155),
        ("BACKUP DATABASE d TO DISK = 'x' WITH FOO = 1", 155),
        ("BACKUP DATABASE d TO DISK 'x'", 102),
        ("BACKUP DATABASE d TO DISK = 'x' WITH", 102),
        ("BACKUP LOG d", 102),
        ("BACKUP TABLE d TO DISK = 'x'", 102),
        (
            "BACKUP DATABASE d TO DISK = 'x', VIRTUAL_DEVICE = 'y'",
            3011,
        ),
        ("BACKUP DATABASE d TO DISK = @nobody", 137),
    ];
    for (text, number) in cases {
        assert_eq!(parse(text).unwrap_err().number, number, "{text}");
    }
}
