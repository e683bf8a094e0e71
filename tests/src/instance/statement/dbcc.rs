//! DBCC CHECKDB (facts: sqlserver.md 6.1): parsed, run over the planted damage, told as messages or
//! as rows.

use std::time::Duration;

use super::Reader;
use super::lexer::Kind;
use crate::instance::catalog::{Row, Table, msdb};
use crate::instance::model::Database;
use crate::instance::moment::Moment;
use crate::instance::openable;
use crate::instance::query::{self, Variables};
use crate::instance::session::Session;
use crate::instance::state::State;
use crate::tds::reply::Reply;
use crate::tds::tokens::ServerMessage;
use crate::tds::types::Value;

/// DONE command of DBCC.
const DBCC: u16 = 0xE6;
/// msdb.dbo.suspect_pages.event_type of a wrong page checksum.
const BAD_CHECKSUM: i64 = 2;
/// Most rows of msdb.dbo.suspect_pages.
const MAX_SUSPECT: usize = 1000;
/// Object that every damaged page belongs to.
const OBJECT: i64 = 245_575_913;

/// Columns of TABLERESULTS, 2012 and later.
const RESULTS: &str = "Error int, Level int, State int, MessageText nvarchar(4000), \
    RepairLevel nvarchar(44), Status int, DbId int, DbFragId int, ObjectId int, IndexId int, \
    PartitionId bigint, AllocUnitId bigint, RidDbId int, RidPruId int, File int, Page int, \
    Slot int, RefDbId int, RefPruId int, RefFile int, RefPage int, RefSlot int, Allocation int";

/// What is wanted.
#[derive(Default)]
struct Wish {
    database: Option<String>,
    repair: bool,
    options: Vec<String>,
}

impl Wish {
    /// Whether informations are left out; a check that found something is always summed up.
    fn is_quiet(&self) -> bool {
        self.has("NO_INFOMSGS") || self.has("PHYSICAL_ONLY")
    }

    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }
}

/// One finding.
struct Finding {
    number: i32,
    level: i64,
    text: String,
    page: Option<(i32, i64)>,
}

/// Runs DBCC.
pub fn run(
    session: &mut Session,
    reader: &mut Reader<'_>,
    variables: &Variables,
    reply: &mut Reply,
) -> Result<(), ServerMessage> {
    if !reader.word("CHECKDB") {
        return Err(query::unsupported("DBCC other than CHECKDB"));
    }
    let wish = parse(session, reader, variables)?;
    if wish.has("ESTIMATEONLY") {
        return Err(query::unsupported("ESTIMATEONLY"));
    }
    let (name, findings) = check(session, &wish, reply)?;
    if reply.interrupt.raised().is_some() {
        reply.failed(DBCC);
        return Ok(());
    }
    let failed = findings.iter().any(|finding| finding.level >= 16);
    let quiet = wish.is_quiet();
    let mut said = Vec::new();
    if !quiet {
        said.push(info(2536, format!("DBCC results for '{name}'.")));
    }
    said.extend(findings);
    if !quiet {
        said.push(info(
            2528,
            "DBCC execution completed. If DBCC printed error messages, contact your system \
             administrator."
                .into(),
        ));
    }
    if wish.has("TABLERESULTS") {
        rows(session, &name, &said, reply);
    } else {
        for finding in &said {
            reply.message(&message(finding));
        }
    }
    if failed {
        session.last_error = 8928;
        reply.failed(DBCC);
    } else {
        reply.done(DBCC, None);
    }
    Ok(())
}

fn info(number: i32, text: String) -> Finding {
    Finding {
        number,
        level: 10,
        text,
        page: None,
    }
}

fn message(finding: &Finding) -> ServerMessage {
    let class = if finding.level > 10 {
        finding.level as u8
    } else {
        0
    };
    ServerMessage::new(finding.number, class, finding.text.clone())
}

fn parse(
    session: &Session,
    reader: &mut Reader<'_>,
    variables: &Variables,
) -> Result<Wish, ServerMessage> {
    let mut wish = Wish::default();
    if reader.sign('(') {
        wish.database = match reader.take().map(|token| token.kind.clone()) {
            Some(Kind::Word(name) | Kind::Name(name) | Kind::Text(name)) => Some(name),
            Some(Kind::Number(id)) if id == "0" => None,
            Some(Kind::Number(id)) => Some(by_id(session, &id)?),
            Some(Kind::Variable(name)) => Some(session.evaluate(&name, variables)?.1.text()),
            _ => return Err(reader.wrong()),
        };
        if reader.sign(',') {
            let how = reader.name()?.to_ascii_uppercase();
            match how.as_str() {
                "NOINDEX" | "REPAIR_FAST" => {}
                "REPAIR_ALLOW_DATA_LOSS" | "REPAIR_REBUILD" => wish.repair = true,
                _ => return Err(query::syntax(&how)),
            }
        }
        reader.expect_sign(')')?;
    }
    if reader.word("WITH") {
        loop {
            wish.options.push(option(session, reader)?);
            if !reader.sign(',') {
                break;
            }
        }
    }
    if reader.at_end() {
        Ok(wish)
    } else {
        Err(reader.wrong())
    }
}

fn option(session: &Session, reader: &mut Reader<'_>) -> Result<String, ServerMessage> {
    const KNOWN: &[&str] = &[
        "ALL_ERRORMSGS",
        "EXTENDED_LOGICAL_CHECKS",
        "NO_INFOMSGS",
        "TABLOCK",
        "ESTIMATEONLY",
        "PHYSICAL_ONLY",
        "DATA_PURITY",
        "TABLERESULTS",
    ];
    let word = reader.name()?.to_ascii_uppercase();
    if word == "MAXDOP" && session.instance.version().major >= 12 {
        reader.expect_sign('=')?;
        let number = reader.take().map(|token| token.kind.clone());
        return match number {
            Some(Kind::Number(_)) => Ok(word),
            _ => Err(reader.wrong()),
        };
    }
    if KNOWN.contains(&word.as_str()) {
        Ok(word)
    } else {
        let text = format!("'{word}' is not a recognized option.");
        Err(ServerMessage::new(155, 15, text))
    }
}

fn by_id(session: &Session, id: &str) -> Result<String, ServerMessage> {
    let state = session.instance.state();
    let number = id.parse::<i32>().unwrap_or(-1);
    let found = state
        .databases
        .iter()
        .find(|database| database.id == number);
    found
        .map(|database| database.name.clone())
        .ok_or_else(|| not_found(id))
}

fn not_found(name: &str) -> ServerMessage {
    let text = format!(
        "Could not find database '{name}'. The database either does not exist, or was dropped \
         before a statement tried to use it."
    );
    ServerMessage::new(2520, 16, text)
}

/// Looks at every page; returns the database's name and what was found.
fn check(
    session: &Session,
    wish: &Wish,
    reply: &Reply,
) -> Result<(String, Vec<Finding>), ServerMessage> {
    let wanted = wish.database.as_deref().unwrap_or(session.database());
    {
        let state = session.instance.state();
        let database = state.database(wanted).ok_or_else(|| not_found(wanted))?;
        allowed(session, database)?;
        if wish.repair {
            let text = "Repair statement not processed. Database needs to be in single user mode.";
            return Err(ServerMessage::new(7919, 16, text));
        }
    }
    let faults = session.instance.faults();
    let _progress = session.note_request("DBCC TABLE CHECK");
    let _ = reply
        .interrupt
        .sleep(Duration::from_millis(faults.check_delay_ms));
    let now = session.instance.clock.now();
    let mut guard = session.instance.state();
    let state = &mut *guard;
    let database = state
        .database_mut(wanted)
        .ok_or_else(|| not_found(wanted))?;
    let name = database.name.clone();
    if reply.interrupt.raised().is_some() {
        return Ok((name, Vec::new()));
    }
    if let Some(number) = faults.check_terminates {
        let text = format!("Check terminated. The lab was told to end it with {number}.");
        return Err(ServerMessage::new(number, 16, text));
    }
    let pages = database.bad_pages.clone();
    let counts = !wish.has("PHYSICAL_ONLY") || faults.physical_only_counts;
    if pages.is_empty() && counts {
        database.last_good_check = Some(now);
    }
    let id = database.id;
    for page in &pages {
        suspect(state, id, *page, now);
    }
    Ok((name.clone(), findings(&name, &pages, wish.is_quiet())))
}

fn allowed(session: &Session, database: &Database) -> Result<(), ServerMessage> {
    let name = &database.name;
    if !session.login.in_database_role(name, &["db_owner"]) {
        let user = &session.login.name;
        let text = format!(
            "User '{user}' does not have permission to run DBCC checkdb for database '{name}'."
        );
        return Err(ServerMessage::new(7983, 14, text));
    }
    openable(database).map_or(Ok(()), Err)
}

/// Writes a damaged page into msdb, or counts it once more.
pub fn suspect(state: &mut State, database: i32, page: (i32, i64), now: Moment) {
    let table = Table::parse("suspect_pages", msdb::SUSPECT_PAGES);
    let key = [
        Value::Int(i64::from(database)),
        Value::Int(i64::from(page.0)),
        Value::Int(page.1),
    ];
    let rows = &mut state.msdb.suspect_pages;
    let known = rows.iter().position(|row| row.starts_with(&key));
    let count = known.and_then(|at| match rows[at].get(4) {
        Some(Value::Int(count)) => Some(*count),
        _ => None,
    });
    if known.is_none() && rows.len() == MAX_SUSPECT {
        return;
    }
    let row = Row::new(&table)
        .set("database_id", database)
        .set("file_id", page.0)
        .set("page_id", page.1)
        .set("event_type", BAD_CHECKSUM)
        .set("error_count", count.unwrap_or(0) + 1)
        .set("last_update_date", now)
        .build();
    match known {
        Some(at) => rows[at] = row,
        None => rows.push(row),
    }
}

fn findings(name: &str, pages: &[(i32, i64)], quiet: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for &(file, page) in pages {
        let text = format!(
            "Object ID {OBJECT}, index ID 1: Page ({file}:{page}) could not be processed. See \
             other errors for details."
        );
        found.push(Finding {
            number: 8928,
            level: 16,
            text,
            page: Some((file, page)),
        });
        let text = format!(
            "Table error: Object ID {OBJECT}, index ID 1, page ({file}:{page}). Test \
             (IS_OFF (BUF_IOERR, pBUF->bstat)) failed."
        );
        found.push(Finding {
            number: 8939,
            level: 16,
            text,
            page: Some((file, page)),
        });
    }
    let errors = found.len();
    if errors > 0 {
        found.push(info(
            8990,
            format!(
                "CHECKDB found 0 allocation errors and {errors} consistency errors in table \
                 'ledger' (object ID {OBJECT})."
            ),
        ));
    }
    if errors == 0 && quiet {
        return found;
    }
    let summary = format!(
        "CHECKDB found 0 allocation errors and {errors} consistency errors in database '{name}'."
    );
    found.push(info(8989, summary));
    if errors > 0 {
        let text = format!(
            "repair_allow_data_loss is the minimum repair level for the errors found by DBCC \
             CHECKDB ({name})."
        );
        found.push(info(8958, text));
    }
    found
}

fn rows(session: &Session, name: &str, said: &[Finding], reply: &mut Reply) {
    let id = {
        let state = session.instance.state();
        state.database(name).map_or(0, |database| database.id)
    };
    let table = Table::parse("checkdb", RESULTS);
    reply.columns(&table.columns);
    for finding in said {
        let error = finding.level >= 16;
        let mut row = Row::new(&table)
            .set("Error", finding.number)
            .set("Level", finding.level)
            .set("State", 1)
            .set("MessageText", finding.text.as_str())
            .set("RepairLevel", error.then_some("repair_allow_data_loss"))
            .set("Status", 0)
            .set("DbId", id)
            .set("DbFragId", 1)
            .set("ObjectId", if error { OBJECT } else { 0 })
            .set("IndexId", i64::from(error));
        if let Some((file, page)) = finding.page {
            row = row.set("File", file).set("Page", page).set("Slot", 0);
        }
        reply.row(&table.columns, &row.build());
    }
}
