//! Where one statement ends and the next begins: semicolons are optional in T-SQL.

use super::Token;

/// Words that begin a statement wherever they stand outside brackets.
const STARTERS: &[&str] = &[
    "BACKUP",
    "RESTORE",
    "USE",
    "DECLARE",
    "KILL",
    "PRINT",
    "RAISERROR",
    "WAITFOR",
    "ALTER",
    "CREATE",
    "DROP",
    "DBCC",
    "EXEC",
    "EXECUTE",
    "COMMIT",
    "ROLLBACK",
    "SAVE",
    "IF",
    "INSERT",
    "DELETE",
    "UPDATE",
    "GRANT",
    "REVOKE",
    "DENY",
    "RETURN",
    "RECONFIGURE",
];
/// Words behind which SELECT goes on with the same statement.
const JOINERS: &[&str] = &["UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "EXISTS", "IN"];

/// Cuts tokens into statements, without their semicolons.
#[must_use]
pub fn statements(tokens: &[Token]) -> Vec<&[Token]> {
    let mut out = Vec::new();
    let (mut start, mut depth, mut cases) = (0, 0_i32, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
        cases += i32::from(token.is_word("CASE"));
        if token.is_word("END") && cases > 0 {
            cases -= 1;
        }
        let body = &tokens[start..at];
        if depth == 0 && token.is_sign(';') {
            out.push(body);
            start = at + 1;
        } else if depth == 0 && cases == 0 && !body.is_empty() && begins(body, token) {
            out.push(body);
            start = at;
        }
    }
    out.push(&tokens[start.min(tokens.len())..]);
    out.retain(|statement| !statement.is_empty());
    out
}

/// Whether `token` begins a new statement after `body`.
fn begins(body: &[Token], token: &Token) -> bool {
    let word = token.keyword();
    let first = body.first().map(Token::keyword).unwrap_or_default();
    let last = body.last().map(Token::keyword).unwrap_or_default();
    let after_name = body
        .last()
        .is_some_and(|last| last.is_sign('.') || last.is_sign(','));
    if after_name || word.is_empty() {
        return false;
    }
    match word.as_str() {
        // An IF holds the statement behind its condition; its parts are cut when it runs.
        _ if first == "IF" => false,
        // The names of permissions are words that begin statements elsewhere.
        "SELECT" | "ALTER" | "CREATE" if first == "GRANT" && last == "GRANT" => false,
        "SELECT" => {
            let in_with = first == "WITH" && !body.iter().any(|token| token.is_word("SELECT"));
            let with_body = first == "WITH" && main_select_missing(body);
            let held = matches!(first.as_str(), "INSERT" | "DECLARE") && last != "INT";
            !in_with && !with_body && !held && !JOINERS.contains(&last.as_str())
        }
        "SET" => !matches!(first.as_str(), "ALTER" | "UPDATE"),
        "WITH" => false,
        "BEGIN" => first != "BEGIN",
        // FILE and LOG clauses aside, these words are reserved.
        "DROP" | "CREATE" | "ALTER" => first != "ALTER",
        "EXECUTE" | "EXEC" => !matches!(first.as_str(), "GRANT" | "REVOKE" | "INSERT"),
        word => STARTERS.contains(&word),
    }
}

/// In `WITH a AS (...), b AS (...) SELECT`: no SELECT outside brackets so far.
fn main_select_missing(body: &[Token]) -> bool {
    let mut depth = 0_i32;
    for token in body {
        depth += i32::from(token.is_sign('(')) - i32::from(token.is_sign(')'));
        if depth == 0 && token.is_word("SELECT") {
            return false;
        }
    }
    true
}
