use super::alerts;

#[test]
fn what_is_grave_is_raised_and_the_rest_is_not() {
    let told = "critical: clean now (TapeAlert 20): the drive must be cleaned; put one in; or two\n\
        warning: read warning (TapeAlert 1), cartridge A: reading is hard\n\
        note: nearing media life (TapeAlert 19), cartridge A: soon; have another one ready\n\
        warning: short\n\
        the drive wants to be cleaned\n\
        the system did not let us set: SCSI2LOGICAL\n\
        critical:\n";
    let told: Vec<String> = alerts("tape /dev/nst0 (m1 f1)", told)
        .into_iter()
        .map(|alert| {
            let (code, object, severity) = (alert.code, alert.object, alert.severity);
            format!(
                "{code} {severity} | {object} | {} | {}",
                alert.message, alert.remedy
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "TW6026 error | tape /dev/nst0 (m1 f1): clean now (TapeAlert 20) | the drive must be \
             cleaned | put one in; or two",
            "TW6026 warning | tape /dev/nst0 (m1 f1): read warning (TapeAlert 1), cartridge A | \
             reading is hard | ",
            "TW6026 warning | tape /dev/nst0 (m1 f1): short | short | ",
        ]
    );
    assert_eq!(alerts("tape", ""), []);
}
