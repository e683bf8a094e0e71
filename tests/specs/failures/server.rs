//! Rows of SQL Server's own refusals.

use serde_json::json;

use super::{BACKUP, host, told};
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
    for number in [3023, 3101, 3110, 3117, 3136, 3154, 3159, 3035, 3059] {
        host.turn(&json!({ "fail_before_open": number }));
        let fault = host.backup().object()["error"].clone();
        names_the_cause(&fault);
        assert!(
            fault["message"]
                .as_str()
                .unwrap()
                .contains(&number.to_string()),
            "{fault}"
        );
        told(&format!("row_28_{number}"), &host, BACKUP);
    }
}
