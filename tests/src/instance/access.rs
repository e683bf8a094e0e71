//! Who may open a database.

/// sys.databases.user_access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// 0
    Multi,
    /// 1
    Single,
    /// 2
    Restricted,
}

impl Access {
    /// Number and description of the catalogue.
    #[must_use]
    pub const fn describe(self) -> (i64, &'static str) {
        match self {
            Self::Multi => (0, "MULTI_USER"),
            Self::Single => (1, "SINGLE_USER"),
            Self::Restricted => (2, "RESTRICTED_USER"),
        }
    }

    /// By its keyword.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let all = [Self::Multi, Self::Single, Self::Restricted];
        all.into_iter().find(|one| one.describe().1 == text)
    }
}
