//! SQL Server's own stream, onto tapes and back.

use super::on_tapes;
use crate::front::{Host, Setup};

#[test]
fn a_database_goes_to_two_tapes_and_comes_back() {
    let mut host = Host::blank(&Setup::default());
    on_tapes(&mut host.world);
    host.world.json(&["media", "format", "payroll"]).ended(0);
    host.backup().ended(0);
    host.take("log", &[]).ended(0);
    host.world.verify(0);
    host.restores("Payroll", 1, "Payroll_Copy");
}
