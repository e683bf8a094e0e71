//! Texts by number; `name` fills the one place there is.

/// What is wrong with a statement, its devices or its database.
#[must_use]
pub(super) fn statement(number: i32, name: &str) -> Option<String> {
    Some(match number {
        3002 => "Cannot BACKUP or RESTORE a database snapshot.".into(),
        3008 => "The specified device type is not supported for backup mirroring.".into(),
        3009 => "Could not insert a backup or restore history/detail record in the msdb database. \
                 This may indicate a problem with the msdb database. The backup/restore operation \
                 was still successful."
            .into(),
        3021 => "Cannot perform a backup or restore operation within a transaction.".into(),
        3023 => "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and \
                 encryption changes on a database must be serialized. Reissue the statement after \
                 the current backup or file manipulation operation is completed."
            .into(),
        3024 => "You can only perform a full backup of the master database. Use BACKUP DATABASE \
                 to back up the entire master database."
            .into(),
        3033 => "BACKUP DATABASE cannot be used on a database opened in emergency mode.".into(),
        3035 => format!(
            "Cannot perform a differential backup for database \"{name}\", because a current \
             database backup does not exist. Perform a full database backup by reissuing BACKUP \
             DATABASE, omitting the WITH DIFFERENTIAL option."
        ),
        3036 => format!(
            "The database \"{name}\" is in warm-standby state (set by executing RESTORE WITH \
             STANDBY) and cannot be backed up until the entire restore sequence is completed."
        ),
        3057 => "Invalid device name. The length of the device name provided exceeds supported \
                 limit (maximum length is:259)."
            .into(),
        3059 => format!(
            "This BACKUP or RESTORE command is not supported on a database mirror or secondary \
             replica of '{name}'."
        ),
        3147 => "Backup and restore operations are not allowed on database tempdb.".into(),
        3205 => {
            "Too many backup devices specified for backup or restore; only 64 are allowed.".into()
        }
        3010 => "Invalid backup mirror specification. All mirrors must have the same number of \
                 members."
            .into(),
        3044 => "Invalid zero-length device name. Reissue the statement with a valid device name."
            .into(),
        3095 => "The backup cannot be performed because 'ENCRYPTION' was requested after the \
                 media was formatted with an incompatible structure. To append to this media \
                 set, either omit 'ENCRYPTION' or create a new media set by using WITH FORMAT."
            .into(),
        3206 => format!("Backup device '{name}' does not exist."),
        3214 => "Too many backup mirrors are specified. Only 3 are allowed.".into(),
        3215 => "Use WITH FORMAT to create a new mirrored backup set.".into(),
        3244 => format!("The {name} exceeds the length that its descriptor can hold."),
        33_111 => format!("Cannot find server certificate with name '{name}'."),
        3096 => format!("The certificate '{name}' has expired; it cannot encrypt a backup."),
        3218 => "Backup mirroring is not available in this edition of SQL Server.".into(),
        3261 => "SQL Server cannot use the virtual device configuration.".into(),
        3004 => "The primary filegroup cannot be backed up as a file backup because the database \
                 is using the SIMPLE recovery model. Consider taking a partial backup by \
                 specifying READ_WRITE_FILEGROUPS."
            .into(),
        3217 => format!("Invalid value specified for {name} parameter."),
        3219 => format!("The file or filegroup \"{name}\" cannot be selected for this operation."),
        3235 => format!(
            "The file \"{name}\" is not part of the database. You can only list files that are \
             members of this database."
        ),
        3273 => "The BUFFERCOUNT parameter must supply a value that allows at least one buffer \
                 per backup device."
            .into(),
        3265 => "The login has insufficient authority. Membership of the sysadmin role is \
                 required to use VIRTUAL_DEVICE with BACKUP or RESTORE."
            .into(),
        4208 => "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use \
                 BACKUP DATABASE or change the recovery model using ALTER DATABASE."
            .into(),
        4212 => {
            "Cannot back up the log of the master database. Use BACKUP DATABASE instead.".into()
        }
        4214 => {
            "BACKUP LOG cannot be performed because there is no current database backup.".into()
        }
        _ => return None,
    })
}

/// Why a set cannot be restored into this database.
#[must_use]
pub(super) fn restore(number: i32, name: &str) -> Option<String> {
    Some(match number {
        3101 => "Exclusive access could not be obtained because the database is in use.".into(),
        3104 => format!(
            "RESTORE cannot operate on database '{name}' because it is configured for database \
             mirroring or has joined an availability group. If you intend to restore the \
             database, use ALTER DATABASE to remove mirroring or to remove the database from its \
             availability group."
        ),
        3110 => format!("User does not have permission to RESTORE database '{name}'."),
        3117 => "The log or differential backup cannot be restored because no files are ready to \
                 rollforward."
            .into(),
        3118 => format!(
            "The database \"{name}\" does not exist. RESTORE can only create a database when \
             restoring either a full backup or a file backup of the primary file."
        ),
        3135 => "The backup set cannot be used for this restore operation.".into(),
        3136 => "This differential backup cannot be restored because the database has not been \
                 restored to the correct earlier state."
            .into(),
        3154 => format!(
            "The backup set holds a backup of a database other than the existing '{name}' \
             database."
        ),
        3159 => format!(
            "The tail of the log for the database \"{name}\" has not been backed up. Use BACKUP \
             LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. \
             Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just \
             overwrite the contents of the log."
        ),
        3115 => "The database is using the simple recovery model. It is not possible to restore a \
                 subset of the read-write data."
            .into(),
        3144 => format!(
            "File '{name}' was not backed up in this set. The file cannot be restored \
             from this backup set."
        ),
        3190 => format!(
            "Filegroup '{name}' cannot be restored because it does not exist in the \
             backup set."
        ),
        3234 => format!("Logical file '{name}' is not part of the database."),
        3103 => "RESTORE ... WITH PARTIAL is valid for a database restore alone.".into(),
        3120 => "This backup set will not be restored because all data has already been restored \
                 to a point beyond the time covered by this backup set."
            .into(),
        3145 => "The STOPAT option is not supported for databases that use the SIMPLE recovery \
                 model."
            .into(),
        3153 => "The database is already fully recovered.".into(),
        3173 => "The STOPAT clause provided with this RESTORE statement indicates that the tail \
                 of the log contains changes that must be backed up to reach the target point in \
                 time. The tail of the log has not been backed up."
            .into(),
        4322 => "This backup set contains records that were logged before the designated point \
                 in time. The database is being left in the restoring state so that more roll \
                 forward can be performed."
            .into(),
        4329 => "This log file contains records logged before the designated mark. The database \
                 is being left in the restoring state so that another log file can be applied."
            .into(),
        4330 => "This backup set cannot be applied because it is on a recovery path that is \
                 inconsistent with the database. The recovery path is the sequence of data and \
                 log backups that have brought the database to a particular recovery point."
            .into(),
        4334 => "The named mark does not identify a valid LSN.".into(),
        4335 => "The specified STOPAT time is too early. All or part of the database is already \
                 rolled forward beyond that point."
            .into(),
        4338 => "The STOPAT clause specifies a point too early to allow this backup set to be \
                 restored. Choose a different stop point or use RESTORE DATABASE WITH RECOVERY \
                 to recover at the current point."
            .into(),
        4340 => "The point-in-time clause of this RESTORE statement is restricted for use by \
                 RESTORE LOG statements only. Omit the clause or use a clause that includes a \
                 timestamp."
            .into(),
        4341 => "This log backup contains bulk-logged changes. It cannot be used to stop at an \
                 arbitrary point in time."
            .into(),
        _ => return None,
    })
}

/// What is wrong with media.
#[must_use]
pub(super) fn media(number: i32, name: &str) -> Option<String> {
    Some(match number {
        3098 => "The backup cannot be performed because 'COMPRESSION' was requested after the \
                 media was formatted with an incompatible structure. To append to this media set, \
                 either omit 'COMPRESSION' or create a new media set by using WITH FORMAT."
            .into(),
        3133 => format!(
            "The volume on device \"{name}\" is of another media family than the sequence of \
             devices expects."
        ),
        3210 => format!(
            "The mirror member in drive \"{name}\" is inconsistent with the other mirror members."
        ),
        3268 => format!(
            "Cannot use the backup file '{name}' because it was originally formatted with another \
             sector size than this device has."
        ),
        3132 => "The media set does not have all its media families on the devices named. All \
                 members must be provided."
            .into(),
        3184 => {
            "RESTORE WITH CONTINUE_AFTER_ERROR was successful but some damage was encountered. \
                 Inconsistencies in the database are possible."
                .into()
        }
        3188 => "The backup set was written with damaged data by a BACKUP WITH \
                 CONTINUE_AFTER_ERROR."
            .into(),
        3249 => format!(
            "The volume on device '{name}' is a continuation volume for the backup set. Remove it \
             and insert the volume holding the start of the backup set."
        ),
        3276 => {
            "WITH SNAPSHOT can be used only if the backup set was created WITH SNAPSHOT.".into()
        }
        3277 => "WITH SNAPSHOT must be used with only one virtual device.".into(),
        3187 => "RESTORE WITH CHECKSUM cannot be specified because the backup set does not \
                 contain checksum information."
            .into(),
        3189 => "Damage to the backup set was detected.".into(),
        3203 => "Read failed: 38(Reached the end of the file.)".into(),
        3208 => "Unexpected end of file while reading beginning of backup set.".into(),
        3227 => format!(
            "The backup media on \"{name}\" is part of a media family which has already been \
             processed."
        ),
        3231 => format!(
            "The media loaded on \"{name}\" is formatted to support fewer media families than \
             expected according to the backup device specification."
        ),
        3240 => "Backup to mirrored media sets requires all mirrors to append. Provide all \
                 members of the set, or reformat a new media set."
            .into(),
        4030 => {
            format!("The medium on device '{name}' has not expired yet and cannot be overwritten.")
        }
        4037 => format!("The volume on device '{name}' does not bear the specified MEDIANAME."),
        3241 => format!(
            "The media family on device '{name}' is incorrectly formed. SQL Server cannot \
             process this media family."
        ),
        3242 => format!(
            "The file on device '{name}' is not a valid Microsoft Tape Format \
                         backup set."
        ),
        3243 => format!(
            "The media family on device '{name}' was created using an unsupported \
                         Microsoft Tape Format version."
        ),
        3254 => format!("The volume on device '{name}' is empty."),
        3256 => format!(
            "The backup set on device '{name}' was terminated while it was being created and is \
             incomplete."
        ),
        3258 => format!("The volume on the device \"{name}\" is not part of the media set."),
        3266 => format!("The backup data at the end of \"{name}\" is incorrectly formatted."),
        3287 => format!(
            "The file ID on device '{name}' is incorrectly formed and can not be \
                         read."
        ),
        _ => return None,
    })
}
