//! A look at all databases of an instance, when nothing has changed.

use std::io;

use super::{Host, Store};
use crate::Arguments;
use crate::bed::Tools;
use crate::measure;
use crate::rows::word;

/// Databases of each look.
const DATABASES: [usize; 4] = [5, 50, 500, 5000];
/// Requests that a look may send, however many databases there are.
const REQUESTS: u64 = 2;
/// Every session asks once, behind its login, who it is; one that stays open does not ask again.
const AT_LOGIN: u64 = 1;

/// What it costs with more and more databases: requests, as the double counts them, and CPU of the
/// agent with its start.
///
/// # Errors
/// The first command that fails.
pub(crate) fn poll(arguments: &Arguments, tools: &Tools) -> io::Result<()> {
    let mut before: Option<(usize, f64)> = None;
    println!("\npoll: twinset instance databases sql-a --json (CPU with its start;");
    println!("poll: requests beside the one behind the login)");
    for databases in DATABASES {
        let mut host = Host::make(tools, &arguments.ram, databases, 1 << 20, 1, Store::Folder)?;
        let line = host.ours("instance databases sql-a --json > /dev/null");
        measure::run(&line)?;
        let from = host.requests()?;
        let mut cpu = Vec::new();
        for _ in 0..arguments.pairs {
            cpu.push(measure::run(&line)?.cpu);
        }
        let sent = (host.requests()? - from) / u64::from(arguments.pairs) - AT_LOGIN;
        let cpu = measure::median(cpu.into_iter());
        println!(
            "poll, {databases:4} databases     {sent} requests   goal <= {REQUESTS}   {}   CPU {:6.1} ms{}",
            word(sent <= REQUESTS),
            cpu * 1e3,
            growth(before, databases, cpu)
        );
        before = Some((databases, cpu));
    }
    Ok(())
}

/// How much more CPU the last step took, against how many times more databases.
#[allow(clippy::cast_precision_loss, reason = "printed with two digits")]
fn growth(before: Option<(usize, f64)>, databases: usize, cpu: f64) -> String {
    let Some((fewer, less)) = before else {
        return String::new();
    };
    let (more, times) = (databases as f64 / fewer as f64, cpu / less);
    let each = (cpu - less) / (databases - fewer) as f64 * 1e6;
    format!(
        "   x {times:.2} for {more:.0} times as many, {each:.0} us for each more   {}",
        word(times < more)
    )
}
