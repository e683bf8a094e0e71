//! The host as Linux tells it.

use std::collections::BTreeMap;
use std::path::Path;

use twinset_domain::doctor::Host;

/// Where virtual devices keep shared memory and semaphores.
const SHARED_MEMORY: &str = "/dev/shm";
/// SQL Server's user and group on Linux, and the name of its process.
const SERVER: &str = "mssql";
const SERVER_PROCESS: &str = "sqlservr";
/// What the names of our sets begin with (`vdi::set_name`).
const OURS: &str = "twinset-";
/// Entries of one folder that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// Looks at the host.
pub(in crate::sqlserver::host) fn look(needed: u64) -> Option<Host> {
    let folder = Path::new(SHARED_MEMORY);
    let me = status("self");
    let numbers = |key: &str| numbers(&me, key);
    let uid = numbers("Uid").get(1).copied();
    let mut groups = numbers("Groups");
    let own_group = numbers("Gid").get(1).copied();
    groups.extend(own_group);
    let server_group = entries("/etc/group", SERVER).first().copied();
    let server_groups = memberships(SERVER);
    let present = server_group.is_some();
    Some(Host {
        shared_memory: SHARED_MEMORY.to_owned(),
        space: space(folder),
        needed,
        writable: may_write(folder),
        same_as_server: same_memory(folder),
        is_root: uid == Some(0),
        user: uid.map_or_else(String::new, user_name),
        in_group: server_group.map(|group| groups.contains(&group)),
        server_in_group: own_group
            .filter(|_| present)
            .map(|group| server_groups.contains(&group)),
        umask: me
            .get("Umask")
            .and_then(|text| u32::from_str_radix(text, 8).ok()),
        leftovers: leftovers(folder),
    })
}

/// `/proc/PID/status` (proc(5)).
fn status(process: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = |line: &str| {
        let (key, value) = line.split_once(':')?;
        Some((key.to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(line).collect()
}

fn numbers(status: &BTreeMap<String, String>, key: &str) -> Vec<u32> {
    let text = status.get(key).map(String::as_str).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// The numbers behind a name in a file of the form `name:x:number:...`.
fn entries(file: &str, name: &str) -> Vec<u32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let numbers = |line: &str| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        let fields: Vec<&str> = fields.skip(1).collect();
        Some(
            fields
                .iter()
                .take(2)
                .filter_map(|field| field.parse().ok())
                .collect(),
        )
    };
    let found: Option<Vec<u32>> = text.lines().find_map(numbers);
    found.unwrap_or_default()
}

/// Every group of a user: its own, and those that list it.
fn memberships(user: &str) -> Vec<u32> {
    let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let listed = text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let members = fields.get(3)?;
        let listed = members.split(',').any(|member| member == user);
        listed.then(|| fields.get(2)?.parse().ok())?
    });
    let own = entries("/etc/passwd", user).get(1).copied();
    listed.chain(own).collect()
}

fn user_name(uid: u32) -> String {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = uid.to_string();
    let named = text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let same = fields.get(2).is_some_and(|field| **field == number);
        same.then(|| fields.first().map(|name| (*name).to_owned()))?
    });
    named.unwrap_or(number)
}

/// Whether a process of SQL Server sees the same shared memory; `None` where none may be looked at.
fn same_memory(folder: &Path) -> Option<bool> {
    let ours = device(folder)?;
    let processes = std::fs::read_dir("/proc").ok()?;
    let servers = processes.take(MAX_ENTRIES).flatten().filter(|entry| {
        let comm = std::fs::read_to_string(entry.path().join("comm"));
        comm.is_ok_and(|name| name.trim() == SERVER_PROCESS)
    });
    let inside = folder.strip_prefix("/").unwrap_or(folder);
    let theirs: Vec<u64> = servers
        .filter_map(|entry| device(&entry.path().join("root").join(inside)))
        .collect();
    (!theirs.is_empty()).then(|| theirs.contains(&ours))
}

fn leftovers(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .take(MAX_ENTRIES)
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains(OURS))
        .count()
}

/// Size and free space of a file system, in bytes.
fn space(folder: &Path) -> Option<(u64, u64)> {
    let facts = rustix::fs::statvfs(folder).ok()?;
    let size = facts.f_blocks.checked_mul(facts.f_frsize)?;
    let free = facts.f_bavail.checked_mul(facts.f_frsize)?;
    Some((size, free))
}

/// Whether this process may make files in a folder.
fn may_write(folder: &Path) -> bool {
    use rustix::fs::Access;
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The number of the file system that a folder lies on.
fn device(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().ok().map(|facts| facts.dev())
}
