//! Accounts of Windows among the logins: `DOMAIN\user`.

use super::{Instance, Login};

impl Login {
    /// An account of Windows: it proves itself by NTLM, and by no password in LOGIN7.
    #[must_use]
    pub fn is_of_windows(&self) -> bool {
        self.name.contains('\\')
    }
}

impl Instance {
    /// The domain of its accounts of Windows, which are its logins `DOMAIN\user`.
    pub fn windows_domain(&self) -> String {
        let state = self.state();
        let mut accounts = state
            .logins
            .iter()
            .filter_map(|login| login.name.split_once('\\'));
        accounts.next().map_or_else(
            || self.server_name().to_owned(),
            |(domain, _)| domain.to_owned(),
        )
    }

    /// The password of an account of Windows.
    pub fn password_of(&self, account: &str) -> Option<String> {
        let state = self.state();
        let mut logins = state.logins.iter().filter(|login| login.is_of_windows());
        let found = logins.find(|login| login.name.eq_ignore_ascii_case(account));
        found.map(|login| login.password.clone())
    }
}
