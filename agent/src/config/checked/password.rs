//! Where a password lies: exactly one of three keys says so.

use std::ops::Range;

use super::Check;
use crate::config::raw::Value;
use crate::config::secret::SecretRef;

/// Judges `password_file`, `password_env` and `password_credential`, in this order; `whole` is
/// pointed at when all are missing.
pub(crate) fn password(
    check: &mut Check<'_>,
    whole: &Range<usize>,
    keys: [(&str, &Value<String>); 3],
) -> Option<SecretRef> {
    let mut given = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_ref()?)));
    let Some((key, value)) = given.next() else {
        let remedy = "add `password_file = \"...\"`, `password_env` or `password_credential`";
        check.bad(whole, "nothing says where the password lies", remedy);
        return None;
    };
    for (second, value) in given {
        let message = format!("`{second}` contradicts `{key}`");
        check.bad(&value.span(), message, "keep exactly one of the two");
    }
    check.text(value, key, 4096);
    let text = value.get_ref();
    match key {
        "password_file" => Some(SecretRef::File(check.secret_file(value))),
        "password_env" if text.contains(['=', '\0']) => {
            let message = format!("\"{text}\" cannot be an environment variable");
            check.bad(&value.span(), message, "write the variable's name alone");
            None
        }
        "password_env" => Some(SecretRef::Env(text.clone())),
        _ if text.contains('/') || text.starts_with('.') => {
            let remedy = "write the name behind `LoadCredential=`, without a path";
            check.bad(
                &value.span(),
                format!("\"{text}\" cannot be a credential"),
                remedy,
            );
            None
        }
        _ => Some(SecretRef::Credential(text.clone())),
    }
}
