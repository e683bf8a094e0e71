//! What a version or edition cannot do, said before anything is begun.

use twinset_domain::{Fault, code};

use super::{Compression, Encryption};
use crate::sqlserver::facts::InstanceFacts;

/// SERVERPROPERTY('EngineEdition') of Express.
const EXPRESS: i64 = 4;
/// First part of the version of SQL Server 2014, the first that encrypts backups.
const ENCRYPTS_SINCE: u16 = 12;

/// Whether the instance can compress and encrypt backups as asked (facts/sqlserver.md 1.10, 3.1).
///
/// # Errors
/// [`code::NOT_SUPPORTED`], naming version or edition.
pub fn supported(
    instance: &InstanceFacts,
    compression: Compression,
    encryption: Option<&Encryption>,
) -> Result<(), Fault> {
    let small =
        instance.engine_edition == EXPRESS || instance.edition.to_lowercase().contains("web");
    let no = |what: &str, why: String, remedy: &str| {
        let message = format!("{what} is asked for, and this instance cannot do it");
        let object = format!("instance {}", instance.server_name);
        Err(Fault::new(code::NOT_SUPPORTED, object, message)
            .cause(why)
            .remedy(remedy))
    };
    let edition = || format!("it is {}: Enterprise and Standard can", instance.edition);
    if compression.asked() == Some(true) && small {
        let remedy = "remove `compression` under [backup]; `encoding = \"zstd\"` of the media \
                      set compresses on any edition";
        return no("compression by SQL Server", edition(), remedy);
    }
    if let Compression::By(algorithm) = compression {
        let (since, year) = algorithm.since();
        if instance.major < since {
            let what = format!("compression by {}", algorithm.name());
            let why = format!("it is version {}: SQL Server {year} can", instance.version);
            return no(&what, why, "remove `compression_algorithm` under [backup]");
        }
    }
    if encryption.is_some() {
        let remedy = "remove [backup.encryption]; [media_sets.NAME.age] encrypts on any edition";
        if small {
            return no("encryption by SQL Server", edition(), remedy);
        }
        if instance.major < ENCRYPTS_SINCE {
            let why = format!("it is version {}: SQL Server 2014 can", instance.version);
            return no("encryption by SQL Server", why, remedy);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
