//! Server versions, in the forms clients see.

use serde::Deserialize;

/// Major, minor, build and revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Version {
    /// 16 = SQL Server 2022.
    pub major: u8,
    /// Minor.
    pub minor: u8,
    /// Build.
    pub build: u16,
    /// Revision.
    pub revision: u16,
    /// Edition as SERVERPROPERTY shows it.
    pub edition: String,
    /// Engine edition: 2 Standard, 3 Enterprise or Developer, 4 Express.
    pub engine_edition: u8,
}

impl Default for Version {
    fn default() -> Self {
        let edition = "Developer Edition (64-bit)".to_owned();
        Self {
            major: 16,
            minor: 0,
            build: 4236,
            revision: 2,
            edition,
            engine_edition: 3,
        }
    }
}

impl Version {
    /// 16 = SQL Server 2022.
    #[must_use]
    pub fn major(&self) -> u16 {
        self.major.into()
    }

    /// Bytes of the PRELOGIN answer.
    #[must_use]
    pub const fn for_prelogin(&self) -> [u8; 6] {
        let build = self.build.to_be_bytes();
        [self.major, self.minor, build[0], build[1], 0, 0]
    }

    /// Bytes of LOGINACK.
    #[must_use]
    pub const fn for_login(&self) -> [u8; 4] {
        let build = self.build.to_be_bytes();
        [self.major, self.minor, build[0], build[1]]
    }

    /// `16.0.4236.2`
    #[must_use]
    pub fn product(&self) -> String {
        format!(
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.revision
        )
    }

    /// Year of the product.
    #[must_use]
    pub const fn year(&self) -> &'static str {
        match self.major {
            17 => "2025",
            16 => "2022",
            15 => "2019",
            14 => "2017",
            13 => "2016",
            12 => "2014",
            11 => "2012",
            10 => "2008",
            _ => "2005",
        }
    }

    /// Internal version of databases this server makes.
    #[must_use]
    pub const fn database_version(&self) -> i32 {
        match (self.major, self.minor) {
            (16, _) => 957,
            (15, _) => 904,
            (14, _) => 869,
            (13, _) => 852,
            (12, _) => 782,
            (11, _) => 706,
            (10, 50) => 661,
            (10, _) => 655,
            (9, _) => 611,
            _ => 998,
        }
    }

    /// @@VERSION
    #[must_use]
    pub fn banner(&self) -> String {
        let (year, product, edition) = (self.year(), self.product(), &self.edition);
        format!(
            "Microsoft SQL Server {year} (double of the Twinset lab) - {product} \
             (X64) \n\t{edition}"
        )
    }
}
