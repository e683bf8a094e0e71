//! SERVERPROPERTY, DATABASEPROPERTYEX and role membership.

use super::Login;
use super::catalog::server::COLLATION_NAME;
use super::model::Database;
use super::version::Version;
use crate::tds::types::Value;

/// SERVERPROPERTY(key); NULL for keys that do not exist.
#[must_use]
pub fn server(
    key: &str,
    version: &Version,
    (server, machine): (&str, &str),
    is_hadr: bool,
) -> Value {
    let instance = server.split_once('\\').map(|(_, instance)| instance);
    match key.to_ascii_lowercase().as_str() {
        "servername" => server.into(),
        "machinename" | "computernamephysicalnetbios" => machine.into(),
        "instancename" => instance.into(),
        "productversion" => version.product().into(),
        "productmajorversion" => version.major.to_string().into(),
        "productminorversion" => version.minor.to_string().into(),
        "productbuild" => version.build.to_string().into(),
        "productlevel" => "RTM".into(),
        "edition" => version.edition.as_str().into(),
        "engineedition" => i64::from(version.engine_edition).into(),
        "collation" => COLLATION_NAME.into(),
        "ishadrenabled" => is_hadr.into(),
        "isclustered"
        | "issingleuser"
        | "isintegratedsecurityonly"
        | "islocaldb"
        | "filestreameffectivelevel" => 0_i64.into(),
        "processid" => i64::from(std::process::id()).into(),
        "instancedefaultdatapath" | "instancedefaultlogpath" | "instancedefaultbackuppath" => {
            "/var/opt/mssql/data/".into()
        }
        _ => Value::Null,
    }
}

/// The properties of one database.
#[must_use]
pub fn database(database: &Database) -> Vec<(&'static str, Value)> {
    let updateability = if database.read_only {
        "READ_ONLY"
    } else {
        "READ_WRITE"
    };
    let never = || "1900-01-01 00:00:00.000".to_owned();
    let checked = database
        .last_good_check
        .map_or_else(never, |at| at.to_iso());
    vec![
        ("Status", database.state.describe().1.into()),
        ("Recovery", database.recovery.describe().1.into()),
        ("Updateability", updateability.into()),
        ("Collation", COLLATION_NAME.into()),
        ("UserAccess", "MULTI_USER".into()),
        ("IsInStandBy", i64::from(database.standby).into()),
        ("LastGoodCheckDbTime", checked.into()),
    ]
}

/// IS_SRVROLEMEMBER: 1, 0, or NULL for roles and logins that do not exist.
#[must_use]
pub fn role_member(role: &str, login: Option<&Login>, version: &Version) -> Option<i64> {
    let login = login?;
    if role.eq_ignore_ascii_case("public") {
        return Some(1);
    }
    let known = super::rights::server_role(role, version)?;
    Some(i64::from(login.in_role(known)))
}

/// HAS_PERMS_BY_NAME: `securable` is its name and class, `None` for the server itself. NULL where
/// the permission or the securable is not known.
#[must_use]
pub fn permission(
    login: &Login,
    securable: Option<(&str, &str)>,
    wanted: &str,
    databases: &[String],
    version: &Version,
    public_history: bool,
) -> Option<bool> {
    let Some((name, class)) = securable else {
        return super::rights::permission(wanted, version).map(|known| login.holds(known));
    };
    let plain = |name: &str| {
        name.trim_start_matches('[')
            .trim_end_matches(']')
            .replace("]]", "]")
    };
    match (class.to_ascii_uppercase().as_str(), wanted) {
        ("DATABASE", "BACKUP DATABASE" | "BACKUP LOG") => {
            let name = plain(name);
            let known = databases
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name));
            known.then(|| login.may_back_up(&name))
        }
        ("DATABASE", "CONTROL") => {
            let name = plain(name);
            let known = databases
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name));
            known.then(|| login.in_database_role(&name, &["db_owner"]))
        }
        ("OBJECT", "SELECT") => {
            let table = plain(name.strip_prefix("msdb.dbo.")?);
            super::catalog::is_history(&table).then(|| login.reads_history(&table, public_history))
        }
        _ => None,
    }
}
