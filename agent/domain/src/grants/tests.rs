#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn rights(features: &[Feature], release: Option<Release>) -> Vec<Right> {
    let features = features.iter().copied().collect();
    let databases = ["Payroll".to_owned(), "HR".to_owned()];
    let wanted = Wanted {
        login: "twinset",
        features: &features,
        release,
        databases: &databases,
    };
    grants(&wanted)
        .into_iter()
        .map(|grant| grant.right)
        .collect()
}

#[test]
fn virtual_devices_need_sysadmin_and_nothing_else() {
    let expected = [Right::Login, Right::Sysadmin];
    assert_eq!(rights(&[Feature::Vdi], None), expected);
    let all = [Feature::Vdi, Feature::Stage, Feature::Check];
    assert_eq!(rights(&all, None), expected);
    assert_eq!(rights(&[Feature::Mirroring], None), expected);
}

#[test]
fn files_need_no_sysadmin() {
    let list = rights(&[Feature::Stage, Feature::Restore], None);
    assert!(!list.contains(&Right::Sysadmin));
    assert!(list.contains(&Right::DbCreator) && !list.contains(&Right::AnyDefinition));
    assert!(rights(&[Feature::Stage], None).contains(&Right::AnyDefinition));
    assert!(list.contains(&Right::BackupOperator("HR".into())));
    // The owner of a database may back it up: one role is enough.
    let checked = rights(&[Feature::Stage, Feature::Check], None);
    assert!(checked.contains(&Right::Owner("HR".into())));
    assert!(!checked.contains(&Right::BackupOperator("HR".into())));
}

#[test]
fn every_release_gets_the_form_that_it_knows() {
    let features = [Feature::Stage].into();
    for (release, year, major) in RELEASES {
        let wanted = Wanted {
            login: "twinset",
            features: &features,
            release: Some(release),
            databases: &[],
        };
        let text = script(&wanted, &grants(&wanted));
        let new = text.contains("VIEW SERVER PERFORMANCE STATE");
        assert_eq!(new, year >= 2022, "{text}");
        assert_eq!(text.contains("##MS_"), year >= 2022, "{text}");
        assert_eq!(Release::of_major(major), Some(release));
        assert_eq!(year.to_string().parse(), Ok(release));
    }
    assert_eq!(Release::of_major(10), None);
    assert_eq!(Release::of_major(99), Some(Release::Sql2025));
}

/// What lies behind the last name of a statement; `None` when a name does not end.
fn behind_names(line: &str) -> Option<&str> {
    let Some(at) = line.find('[') else {
        return Some(line);
    };
    let mut rest = line.get(at + 1..)?;
    loop {
        rest = rest.get(rest.find(']')? + 1..)?;
        // A doubled one stands for itself.
        match rest.strip_prefix(']') {
            Some(inside) => rest = inside,
            None => return behind_names(rest),
        }
    }
}

proptest! {
    #[test]
    fn no_name_gets_out_of_its_quotes_or_its_comment(
        login in "\\PC{1,20}|[\\]'\n\r-]{1,9}",
        database in "\\PC{1,20}|[\\]'\n-]{1,9}",
    ) {
        let features = [Feature::Stage].into();
        let databases = [database];
        let wanted = Wanted {
            login: &login,
            features: &features,
            release: None,
            databases: &databases,
        };
        for grant in grants(&wanted) {
            for line in &grant.sql {
                prop_assert!(behind_names(line).is_some_and(|end| end.ends_with(';')), "{}", line);
            }
        }
        let text = script(&wanted, &[]);
        prop_assert!(text.lines().all(|line| line.starts_with("--")), "{}", text);
    }
}
