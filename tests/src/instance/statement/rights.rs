//! CREATE LOGIN and USER, GRANT, ALTER ROLE and SERVER ROLE, as `twinset grants` writes them.

use super::Reader;
use super::lexer::{Kind, Token};
use crate::instance::query;
use crate::instance::rights::{Rights, database_role, permission, server_role};
use crate::instance::session::Session;
use crate::instance::{Login, State};
use crate::tds::tokens::ServerMessage;

/// Tables of msdb that may be granted one by one.
const HISTORY: &[&str] = &[
    "backupset",
    "backupmediaset",
    "backupmediafamily",
    "backupfile",
    "restorehistory",
    "sysjobs",
    "sysjobsteps",
    "sysjobschedules",
    "sysschedules",
];

/// Whether a statement is about logins, users, roles or permissions.
#[must_use]
pub fn is_one(tokens: &[Token]) -> bool {
    let second = |words: &[&str]| {
        let token = tokens.get(1);
        token.is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    };
    match tokens
        .first()
        .map(Token::keyword)
        .unwrap_or_default()
        .as_str()
    {
        "GRANT" => true,
        "CREATE" => second(&["LOGIN", "USER"]),
        "ALTER" => second(&["SERVER", "ROLE"]),
        _ => false,
    }
}

/// Runs one.
pub fn run(session: &Session, reader: &mut Reader<'_>) -> Result<(), ServerMessage> {
    if !session.login.sysadmin {
        let text = "User does not have permission to perform this action.";
        return Err(ServerMessage::new(15_247, 16, text));
    }
    if reader.word("GRANT") {
        return grant(session, reader);
    }
    let create = reader.word("CREATE");
    if !create {
        reader.expect_word("ALTER")?;
    }
    if create && reader.word("LOGIN") {
        create_login(session, reader)
    } else if create {
        reader.expect_word("USER")?;
        create_user(session, reader)
    } else if reader.word("SERVER") {
        reader.expect_word("ROLE")?;
        member(session, reader, true)
    } else {
        reader.expect_word("ROLE")?;
        member(session, reader, false)
    }
}

fn ends(reader: &Reader<'_>) -> Result<(), ServerMessage> {
    if reader.at_end() {
        Ok(())
    } else {
        Err(reader.wrong())
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, ServerMessage> {
    match reader.peek().map(|token| token.kind.clone()) {
        Some(Kind::Text(text)) => {
            let _ = reader.take();
            Ok(text)
        }
        _ => Err(reader.wrong()),
    }
}

fn create_login(session: &Session, reader: &mut Reader<'_>) -> Result<(), ServerMessage> {
    let name = reader.name()?;
    if reader.word("FROM") {
        reader.expect_word("WINDOWS")?;
        ends(reader)?;
        return Err(of_windows(session, &name));
    }
    reader.expect_word("WITH")?;
    reader.expect_word("PASSWORD")?;
    reader.expect_sign('=')?;
    let password = text(reader)?;
    while reader.sign(',') {
        let option = reader.name()?;
        reader.expect_sign('=')?;
        let known = ["CHECK_POLICY", "CHECK_EXPIRATION", "DEFAULT_DATABASE"];
        if !known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&option))
        {
            return Err(query::syntax(&option));
        }
        let _ = reader.name()?;
    }
    ends(reader)?;
    let mut state = session.instance.state();
    if login(&mut state, &name).is_some() {
        let text = format!("The server principal '{name}' already exists.");
        return Err(ServerMessage::new(15_025, 16, text));
    }
    state.logins.push(Login {
        name,
        password,
        sysadmin: false,
        dbcreator: false,
        view_any_definition: false,
        view_server_state: false,
        backup_operator: false,
        db_owner: false,
        alter_any_connection: false,
        rights: Rights::default(),
    });
    Ok(())
}

/// Accounts of Windows that a scene names have their logins; there are no others.
fn of_windows(session: &Session, name: &str) -> ServerMessage {
    let (number, text) = if !name.contains('\\') {
        let text = format!(
            "'{name}' is not a valid Windows NT name. Give the complete name: <domain\\username>."
        );
        (15_407, text)
    } else if login(&mut session.instance.state(), name).is_some() {
        (
            15_025,
            format!("The server principal '{name}' already exists."),
        )
    } else {
        let text = format!("Windows NT user or group '{name}' not found. Check the name again.");
        (15_401, text)
    };
    ServerMessage::new(number, 16, text)
}

fn login<'a>(state: &'a mut State, name: &str) -> Option<&'a mut Login> {
    state
        .logins
        .iter_mut()
        .find(|login| login.name.eq_ignore_ascii_case(name))
}

fn no_principal(what: &str, name: &str) -> ServerMessage {
    let text = format!(
        "Cannot find the {what} '{name}', because it does not exist or you do not have permission."
    );
    ServerMessage::new(15_151, 16, text)
}

fn create_user(session: &Session, reader: &mut Reader<'_>) -> Result<(), ServerMessage> {
    let user = reader.name()?;
    reader.expect_word("FOR")?;
    reader.expect_word("LOGIN")?;
    let name = reader.name()?;
    ends(reader)?;
    let database = session.database().to_lowercase();
    let mut state = session.instance.state();
    let Some(login) = login(&mut state, &name) else {
        let text = format!("'{name}' is not a valid login or you do not have permission.");
        return Err(ServerMessage::new(15_007, 16, text));
    };
    if !user.eq_ignore_ascii_case(&login.name) {
        return Err(query::unsupported(
            "a user under another name than its login",
        ));
    }
    if login.rights.users.contains_key(&database) {
        let text = format!("User, group, or role '{user}' already exists in the current database.");
        return Err(ServerMessage::new(15_023, 16, text));
    }
    let _ = login.rights.users.insert(database, Default::default());
    Ok(())
}

fn member(
    session: &Session,
    reader: &mut Reader<'_>,
    of_server: bool,
) -> Result<(), ServerMessage> {
    let role = reader.name()?;
    let adds = reader.word("ADD");
    if !adds {
        reader.expect_word("DROP")?;
    }
    reader.expect_word("MEMBER")?;
    let name = reader.name()?;
    ends(reader)?;
    let database = session.database().to_lowercase();
    let version = session.instance.version();
    let mut state = session.instance.state();
    let Some(login) = login(&mut state, &name) else {
        return Err(no_principal("principal", &name));
    };
    let set = if of_server {
        if role.eq_ignore_ascii_case("sysadmin") {
            login.sysadmin = adds;
            return Ok(());
        }
        &mut login.rights.roles
    } else {
        let user = login.rights.users.get_mut(&database);
        user.ok_or_else(|| no_principal("principal", &name))?
    };
    let known = if of_server {
        server_role(&role, version).ok_or_else(|| no_principal("server role", &role))?
    } else {
        database_role(&role).ok_or_else(|| no_principal("role", &role))?
    };
    let _ = if adds {
        set.insert(known)
    } else {
        set.remove(known)
    };
    Ok(())
}

fn grant(session: &Session, reader: &mut Reader<'_>) -> Result<(), ServerMessage> {
    let mut words = Vec::new();
    while !matches!(reader.peek(), Some(token) if token.is_word("TO") || token.is_word("ON")) {
        match reader.take().map(|token| token.kind.clone()) {
            Some(Kind::Word(word)) => words.push(word.to_ascii_uppercase()),
            _ => return Err(reader.wrong()),
        }
    }
    let wanted = words.join(" ");
    let table = if reader.word("ON") {
        Some(object(reader)?)
    } else {
        None
    };
    reader.expect_word("TO")?;
    let name = reader.name()?;
    ends(reader)?;
    let (database, version) = (
        session.database().to_lowercase(),
        session.instance.version(),
    );
    let mut state = session.instance.state();
    let Some(login) = login(&mut state, &name) else {
        return Err(no_principal("login", &name));
    };
    match table {
        Some(table) => {
            let known = database == "msdb" && HISTORY.contains(&table.as_str());
            if wanted != "SELECT" || !known {
                return Err(no_principal("object", &table));
            }
            if !login.rights.users.contains_key("msdb") {
                return Err(no_principal("user", &name));
            }
            let _ = login.rights.history.insert(table);
        }
        None => {
            let known = permission(&wanted, version);
            let known = known.ok_or_else(|| query::syntax(&wanted))?;
            if database != "master" {
                let text = "Permissions at the server scope can only be granted when the \
                            current database is master";
                return Err(ServerMessage::new(4621, 16, text));
            }
            let _ = login.rights.server.insert(known.to_owned());
        }
    }
    Ok(())
}

/// `OBJECT::[dbo].[table]` or the same without its class: the table's name in lower case.
fn object(reader: &mut Reader<'_>) -> Result<String, ServerMessage> {
    let mut name = reader.name()?;
    if name.eq_ignore_ascii_case("OBJECT") && reader.sign(':') {
        reader.expect_sign(':')?;
        name = reader.name()?;
    }
    while reader.sign('.') {
        name = reader.name()?;
    }
    Ok(name.to_lowercase())
}
