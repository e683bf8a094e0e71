//! Do names that need quoting everywhere reach SQL Server, the media and msdb as they are?

use super::{Host, Setup};

/// 128 UTF-16 units, all of them in pairs.
fn longest() -> String {
    "\u{1F4BE}".repeat(64)
}

fn all() -> Vec<String> {
    vec![
        "a]b]]c]".into(),
        "it's ''N'".into(),
        "x]; DROP DATABASE [y]; --".into(),
        "\u{2019}\u{FF07}\u{FF3D} right \u{202E}to left".into(),
        "\u{10FFFD}\u{2A6D6}\u{E0001}".into(),
        longest(),
    ]
}

#[test]
fn every_kind_of_a_hostile_name_goes_the_whole_way() {
    let databases: String = all()
        .iter()
        .map(|name| {
            let name = serde_json::to_string(name).unwrap();
            format!("[[instances.databases]]\nname = {name}\nsize = 1048576\n")
        })
        .collect();
    let names: Vec<&'static str> = all()
        .into_iter()
        .map(|name| &*Box::leak(name.into_boxed_str()))
        .collect();
    let mut host = Host::formatted(&Setup {
        databases,
        names: names.clone(),
        ..Setup::default()
    });
    for kind in ["full", "log", "diff"] {
        let result = host.take(kind, &[]).ended(0).result();
        let sets = result["sets"].as_array().unwrap();
        let taken: Vec<_> = sets.iter().map(|set| set["database"].as_str()).collect();
        assert_eq!(taken, names.iter().map(|n| Some(*n)).collect::<Vec<_>>());
    }
    for (position, name) in (1..).zip(&names) {
        let told = host.told(name);
        let backups = told["backups"].as_array().unwrap();
        assert_eq!(backups.len(), 3, "{name:?}");
        assert!(backups.iter().all(|row| row["database_name"] == *name));
        // The double names its log file after the database, which needs four units more.
        if name.encode_utf16().count() + "_log".len() <= 128 {
            host.restores(name, position, &format!("Copy{position}"));
        }
    }
    host.world.verify(0);
}
