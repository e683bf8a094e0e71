//! msdb's facts of a set in the form that the media keep.

use twinset_domain::BackupKind;
use twinset_format::mtf::SetFacts;

use crate::sqlserver::history::MsdbSet;

/// msdb's facts, in the form that stands in verdict records.
pub(super) fn set_facts(found: &MsdbSet) -> SetFacts {
    let letter = found.kind.bytes().next();
    let version = match (
        found.software_major,
        found.software_minor,
        found.software_build,
    ) {
        (Some(major), Some(minor), Some(build)) => Some(format!("{major}.{minor}.{build}")),
        _ => None,
    };
    SetFacts {
        number: 1,
        set: Some(found.backup_set_uuid),
        database: Some(found.database_name.clone()),
        server: Some(found.server_name.clone()),
        kind: letter.and_then(BackupKind::from_letter),
        letter: letter.map(char::from),
        first_lsn: found.first_lsn,
        last_lsn: found.last_lsn,
        checkpoint_lsn: found.checkpoint_lsn,
        database_backup_lsn: found.database_backup_lsn,
        differential_base_lsn: found.differential_base_lsn,
        differential_base: found.differential_base_guid,
        family_guid: found.family_guid,
        database_guid: found.database_guid,
        recovery_fork: found.last_recovery_fork_guid,
        checksum: Some(found.has_backup_checksums),
        server_version: version,
        database_version: None,
        backup_size: found.size_bytes.and_then(|size| u64::try_from(size).ok()),
        started: found.start,
        finished: found.finish,
        copy_only: Some(found.is_copy_only),
        first_recovery_fork: found
            .first_recovery_fork_guid
            .filter(|first| Some(*first) != found.last_recovery_fork_guid),
        fork_point_lsn: found.fork_point_lsn,
        begins_log_chain: Some(found.begins_log_chain),
        bulk_logged: found.has_bulk_logged_data,
        damaged: Some(found.is_damaged),
    }
}
