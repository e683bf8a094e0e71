//! Rows of SQL Server's own refusals.

use serde_json::json;

use super::{BACKUP, RESTORE, host, told};
use crate::front::names_the_cause;

#[test]
fn row_24_3013_alone_is_no_cause() {
    let host = host(1, &json!({ "fail_before_open": 3013 }));
    told("row_24", &host, BACKUP);
}

#[test]
fn row_26_a_file_of_the_server() {
    for (row, number) in [("row_26_3633", 3633), ("row_26_3634", 3634)] {
        let host = host(1, &json!({ "fail_before_open": number }));
        told(row, &host, BACKUP);
    }
}

#[test]
fn row_28_preconditions_have_a_remedy_each() {
    let mut host = host(1, &json!({}));
    host.backup().ended(0);
    let of_backups = [3023, 3035, 3059].map(|number| (number, BACKUP));
    let of_restores = [3101, 3110, 3117, 3136, 3154, 3159].map(|number| (number, RESTORE));
    for (number, line) in of_backups.into_iter().chain(of_restores) {
        host.turn(&json!({ "fail_before_open": number }));
        let fault = host.world.json(line).object()["error"].clone();
        names_the_cause(&fault);
        let message = fault["message"].as_str().unwrap();
        assert!(message.contains(&number.to_string()), "{fault}");
        told(&format!("row_28_{number}"), &host, line);
    }
}
