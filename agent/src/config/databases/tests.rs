use super::*;

#[test]
fn the_sample_takes_what_it_says() {
    let databases = Databases::new(["Payroll", "HR_*", "-HR_Scratch"]);
    let names = [
        "payroll",
        "HR_",
        "HR_2026",
        "HR_Scratch",
        "hr_scratch2",
        "Payroll2",
        "master",
    ];
    let taken: Vec<&str> = names
        .into_iter()
        .filter(|name| databases.select(name))
        .collect();
    assert_eq!(taken, ["payroll", "HR_", "HR_2026", "hr_scratch2"]);
    assert_eq!(databases.named().collect::<Vec<_>>(), ["Payroll"]);
}

#[test]
fn the_words_part_user_from_system_databases() {
    let rows = [
        ("USER_DATABASES", "Payroll"),
        ("SYSTEM_DATABASES", "master model msdb"),
    ];
    for (word, expected) in rows {
        let databases = Databases::new([word]);
        let names = ["Payroll", "master", "model", "msdb", "tempdb"];
        let taken: Vec<&str> = names
            .into_iter()
            .filter(|name| databases.select(name))
            .collect();
        assert_eq!(taken.join(" "), expected, "{word}");
    }
    assert!(!Databases::new(["ALL_DATABASES"]).select("tempdb"));
    assert!(!Databases::new(["ALL_DATABASES", "-SYSTEM_DATABASES"]).select("msdb"));
}

#[test]
fn stars_match_any_text_between_fixed_ends() {
    let rows = [
        ("*", "x", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*c", "a--b--c", true),
        ("a*b*c", "a--c--b", false),
        ("*log", "catalog", true),
    ];
    for (pattern, name, expected) in rows {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn odd_patterns_are_refused() {
    assert_eq!(check("-"), Err(PatternError::Empty));
    assert_eq!(check("USERS_DATABASES"), Err(PatternError::Word));
    assert_eq!(check(&"x".repeat(129)), Err(PatternError::TooLong));
    assert_eq!((check("x"), check("-x")), (Ok(true), Ok(false)));
}
