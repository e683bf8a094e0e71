//! What helps against an error of SQL Server that has no code of its own here (facts: sqlserver.md
//! 3.4, A to C).

/// The remedy for a number; `None` for numbers of which nothing better is known than to look them
/// up.
pub(super) fn remedy(number: u32) -> Option<&'static str> {
    of_database(number)
        .or_else(|| of_media(number))
        .or_else(|| of_chain(number))
}

/// State, log and files of the database.
fn of_database(number: u32) -> Option<&'static str> {
    Some(match number {
        924 => {
            "end the session that holds the database alone, or: ALTER DATABASE ... SET MULTI_USER"
        }
        926 | 945 | 3033 | 3046 => {
            "the database is damaged: look into SQL Server's error log; its tail can still be taken: \
             twinset backup GROUP --kind tail"
        }
        942 => "bring it online: ALTER DATABASE ... SET ONLINE",
        3002 => "leave the snapshot out, and back its source up",
        3007 | 3016 => "bring the file online, or finish its restore, then back up again",
        3021 => "SQL Server allows no backup inside a transaction: end the one that is open",
        3024 | 4212 => "take a full backup: master has no others",
        3036 => "finish the restore first: RESTORE DATABASE ... WITH RECOVERY",
        3049 => {
            "the log is damaged: take a full or a differential backup, and run twinset integrity"
        }
        3052 | 9002 => {
            "the log is full: make room for it, and see log_reuse_wait_desc in sys.databases for what \
             holds it"
        }
        3147 => "leave tempdb out: it is made anew at each start",
        1834 | 3156 | 3176 => "send the files elsewhere: --data-dir or --move",
        3102 => "SQL Server restores no database that the session itself is in: report this",
        3142 | 3191 => "another file is there: --data-dir or --move, or remove it",
        3047 => "mend the instance's default backup folder (BackupDirectory)",
        _ => return None,
    })
}

/// Devices and what lies on them.
fn of_media(number: u32) -> Option<&'static str> {
    Some(match number {
        3095..=3098 => {
            "such a set cannot join the others: take it into a media set of its own, or ask for what \
             the first set has"
        }
        3132 | 3227 | 3231 | 3258 => {
            "give each family of one set once; twinset media show SET lists them"
        }
        3169 => "the set comes from a newer SQL Server: restore it on that version or a later one",
        3183 | 3182 | 3186 | 3189 => {
            "the set bears damage: restore to before it (twinset restore points), or look what else \
             of it can be read: twinset media verify SET"
        }
        3187 => "the set has no checksums: restore it without asking for them",
        3199 | 3284 => {
            "it must be read with the sizes that the message names: twinset media export prints them"
        }
        3201 => {
            "SQL Server could not open the device: check path and rights of its own account, and the \
             error number in the message"
        }
        3204 => "it was stopped on the server: run it again",
        3208 | 3241..=3243 | 3254 | 3256 | 3287 => {
            "what SQL Server read is no whole backup: twinset media verify SET names what is damaged"
        }
        3218 => "this edition writes no mirrors itself: Twinset does",
        33_111 => {
            "restore the certificate (or key) that encrypted the set to this instance first, with its \
             private key"
        }
        3229 | 3230 | 3260 | 3224 | 3267 => {
            "the server is short of threads or memory: try again later"
        }
        _ => return None,
    })
}

/// Order and end of a restore.
fn of_chain(number: u32) -> Option<&'static str> {
    Some(match number {
        3118 => "restore the full backup first",
        3120 | 4326 => "the database is beyond this set already: go on with a later one",
        3145 => "a SIMPLE database has no points in time: restore a set as it is",
        3153 => "the database is recovered already: nothing is left to do",
        3173 | 4335 | 4338 => {
            "the point lies outside of what is held: twinset restore points shows what is"
        }
        4305 | 4312 | 4318 | 4333 | 4349 => {
            "a set in between is missing: twinset restore plan names the gap"
        }
        4330 => "the set belongs to another recovery fork: twinset restore plan follows one fork",
        4341 => "the log holds bulk changes: restore to its end, or to before it",
        _ => return None,
    })
}
