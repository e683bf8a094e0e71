//! Where the bytes of a backup come from, and the stage folder of `source = "stage"`.

use toml::Spanned;

use super::{Source, Stage};
use crate::config::checked::Check;
use crate::config::raw::{GroupTable, Value};

/// Longest stage folder as SQL Server sees it, in UTF-16 units: with the names of the files a path
/// stays below the 259 of a statement (3057).
const LONGEST_SERVER: usize = 200;

/// Judges `source`, `stage_dir` and `stage_dir_server` together.
pub(super) fn source(check: &mut Check<'_>, table: &GroupTable) -> Source {
    let choices = [("vdi", false), ("stage", true)];
    if !check.choice(&table.source, "source", &choices, false) {
        unused(check, &table.stage_dir, "stage_dir");
        unused(check, &table.stage_dir_server, "stage_dir_server");
        return Source::Vdi;
    }
    let Some(dir) = &table.stage_dir else {
        if let Some(source) = &table.source {
            let message = "`source = \"stage\"` needs a folder";
            let remedy = "add `stage_dir`: a folder that SQL Server and the agent may write";
            check.bad(&source.span(), message, remedy);
        }
        return Source::Vdi;
    };
    check.text(dir, "stage_dir", 4096);
    let path = check.file.resolve(dir.get_ref());
    let server = table.stage_dir_server.as_ref().map_or_else(
        || path.display().to_string(),
        |server| server.get_ref().clone(),
    );
    let longest = server.encode_utf16().count() > LONGEST_SERVER;
    let spoken = table.stage_dir_server.as_ref().unwrap_or(dir);
    if longest || server.contains(char::is_control) || server.trim().is_empty() {
        let message = "SQL Server cannot be given this path";
        let remedy = format!("use at most {LONGEST_SERVER} printable characters");
        check.bad(&spoken.span(), message, remedy);
    }
    Source::Stage(Stage { dir: path, server })
}

fn unused(check: &mut Check<'_>, value: &Value<String>, key: &str) {
    if let Some(value) = value.as_ref().map(Spanned::span) {
        let message = format!("`{key}` is for `source = \"stage\"` alone");
        check.bad(&value, message, "set the source, or remove the key");
    }
}
