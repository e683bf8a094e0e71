#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::running::ServerMessage;
use super::super::settings::{Auth, Endpoint};
use super::super::{Secret, StatementEnd};
use super::*;

fn message(number: u32, message: &str) -> ServerMessage {
    ServerMessage {
        number,
        message: message.into(),
    }
}

fn ended(all: Vec<ServerMessage>) -> StatementEnd {
    let first = all[0].clone();
    StatementEnd::Error {
        number: first.number,
        message: first.message,
        state: 1,
        class: 16,
        all,
    }
}

fn settings() -> InstanceSettings {
    let auth = Auth::Sql {
        user: "backup".into(),
        password: Secret::new("geheim"),
    };
    InstanceSettings::new("payroll", "db1.example", Endpoint::Port(1433), auth)
}

#[test]
fn the_last_word_3013_is_never_the_cause() {
    let end = ended(vec![
        message(3013, "BACKUP DATABASE is terminating abnormally."),
        message(3202, "Write on \"x\" failed: 112"),
        message(3271, "A nonrecoverable I/O error occurred"),
    ]);
    let fault = end.fault("Payroll").unwrap();
    assert!(fault.message.contains("3202"));
    assert_eq!(
        fault.causes,
        ["error 3271: A nonrecoverable I/O error occurred"]
    );
}

#[test]
fn known_numbers_have_their_own_code_and_remedy() {
    for (number, code) in [
        (911, code::SQL_NO_DATABASE),
        (3265, code::SQL_NOT_SYSADMIN),
        (3023, code::SQL_BUSY),
        (3104, code::RESTORE_MIRRORED),
        (3154, code::RESTORE_EXISTS),
        (3999, code::SQL_ERROR),
    ] {
        let fault = ended(vec![message(number, "text")])
            .fault("Payroll")
            .unwrap();
        assert_eq!(fault.code, code);
        assert!(fault.message.contains(&number.to_string()) && !fault.remedy.is_empty());
    }
}

#[test]
fn history_that_could_not_be_written_is_told_apart_from_failures() {
    assert!(!ended(vec![message(3009, "msdb")]).has_error_besides(3009));
    assert!(ended(vec![message(3009, "msdb"), message(3013, "end")]).has_error_besides(3009));
    assert!(!StatementEnd::Ok.has_error_besides(3009));
}

#[test]
fn a_certificate_of_another_name_says_which_setting_to_change() {
    let text = "the server's certificate was rejected during the TLS handshake: certificate not \
                valid for name \"db1.example\". To connect anyway you can: (1) trust ...";
    let fault = login(&settings(), &Error::Tls(text.into()));
    assert_eq!(fault.code, code::SQL_TLS);
    assert!(fault.message.contains("db1.example") && fault.remedy.contains("server_name"));
    assert!(!fault.to_string().contains("To connect anyway"));
}

#[test]
fn an_unknown_authority_asks_for_its_file() {
    let fault = login(
        &settings(),
        &Error::Tls("invalid peer certificate: UnknownIssuer".into()),
    );
    assert_eq!(fault.code, code::SQL_TLS);
    assert!(fault.remedy.contains("ca_file"));
}

#[test]
fn no_password_in_any_print() {
    let settings = settings();
    assert!(!format!("{settings:?} {settings}").contains("geheim"));
}

/// Numbers that BACKUP and RESTORE of whole databases may end with: those that the double of SQL
/// Server can send, and their neighbours in the list of facts.
const MAY_COME: &[u32] = &[
    262, 297, 300, 911, 913, 916, 921, 922, 924, 926, 927, 942, 945, 952, 954, 955, 956, 976, 978,
    979, 983, 1834, 3002, 3007, 3013, 3016, 3021, 3023, 3024, 3033, 3035, 3036, 3041, 3043, 3046,
    3047, 3049, 3052, 3053, 3059, 3062, 3095, 3096, 3097, 3098, 3101, 3102, 3104, 3110, 3117, 3118,
    3120, 3132, 3136, 3141, 3142, 3145, 3147, 3153, 3154, 3156, 3159, 3169, 3173, 3182, 3183, 3186,
    3187, 3189, 3191, 3199, 3201, 3202, 3203, 3204, 3208, 3224, 3227, 3229, 3231, 3241, 3242, 3243,
    3254, 3256, 3257, 3258, 3261, 3265, 3267, 3271, 3284, 3287, 3633, 3634, 4208, 4212, 4214, 4305,
    4312, 4318, 4326, 4330, 4333, 4335, 4338, 4341, 4349, 9002, 33_111,
];

#[test]
fn what_may_come_has_a_remedy_that_is_worth_its_line() {
    for number in MAY_COME {
        let fault = server("Payroll", *number, "text");
        let remedy = fault.remedy;
        assert!(
            remedy.len() > 20 && !remedy.contains("look the number up"),
            "{number}: {remedy}"
        );
    }
    let unknown = server("Payroll", 60_000, "text").remedy;
    assert!(unknown.contains("look the number up"), "{unknown}");
}
