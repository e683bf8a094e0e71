//! A named instance, whose port SQL Server Browser tells.

use std::net::Ipv4Addr;

use super::{Host, Setup, database};

/// An address of loopback that no other run of this process's tests uses: Browser has one port.
fn address() -> Ipv4Addr {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 100 + (a & 0x3F), b, c.max(1))
}

/// Two named instances at one address; the second is another one's.
fn host() -> Host {
    let address = address();
    let mut host = Host::blank(&Setup {
        server: format!(
            "address = \"{address}\"\nbrowser = true\ncertificate_names = [\"{address}\"]\n"
        ),
        databases: format!(
            "{}[[instances]]\nname = 'SQL-A\\OTHER'\naddress = \"{address}\"\n",
            database("Payroll", 1 << 20)
        ),
        name: "SQL-A\\PAY",
        ..Setup::default()
    });
    host.reach(|client| {
        client.host = address.to_string();
        client.named = Some("Pay");
    });
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host
}

#[test]
fn browser_tells_the_port_of_a_named_instance() {
    let mut host = host();
    host.backup().ended(0);
    host.restore("Copy").ended(0);
    let copy = host.lab.database("SQL-A\\PAY", "Copy").unwrap();
    assert_eq!(copy["state"], "ONLINE");
    // What Browser does not know is not answered; what another name hides is another server.
    host.reach(|client| client.named = Some("GONE"));
    let fault = host.backup().ended(1).failed("TW4001").to_string();
    assert!(fault.contains("Browser"), "{fault}");
    host.reach(|client| client.named = Some("OTHER"));
    host.backup().ended(1);
}
