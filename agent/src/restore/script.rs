//! A chain as T-SQL for a hand, over the files that `media export` writes.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use twinset_domain::restore::{Plan, Stop};
use twinset_domain::{Fault, RunId};

use super::chain::{self, Chain};
use super::export;
use super::holdings::Holdings;
use super::replace::Replace;
use super::run::{self, Order};
use super::stream::Server;
use super::target;
use crate::report::Progress;
use crate::sqlserver::statement::{Medium, quote_literal, recover_sql};
use crate::sqlserver::vdi::VdiLibrary;
use crate::sqlserver::{Connector, Purpose};

/// The script: comments that say how to get the files, then one statement for each set. The
/// instance is asked where the files of the database go; nothing is restored.
///
/// # Errors
/// As [`run::restore`], as far as that comes before the first set is restored.
pub fn script(
    holdings: &Holdings,
    order: &Order<'_>,
    plan: &Plan,
    folder: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<String, Fault> {
    run::usable(order.norecovery, &plan.goal)?;
    target::named(order.name)?;
    run::whole_sets(holdings, plan)?;
    let library = VdiLibrary::load(&order.settings.vdi_library)?;
    let run = RunId::random().to_string();
    let mut control = Connector::new(order.settings.clone(), &run).open(Purpose::Control)?;
    let server = Server {
        library: &library,
        settings: order.settings,
        progress,
        stop,
    };
    let looked = run::look(holdings, order, plan, &server, &mut control);
    let (moves, _) = looked.map_err(|broken| *broken.fault)?;
    let chain = Chain {
        plan,
        name: order.name,
        norecovery: order.norecovery,
        replace: order.replace == Some(Replace::GivenUp),
        moves: &moves,
    };
    text(holdings, &chain, folder)
}

fn text(holdings: &Holdings, chain: &Chain<'_>, folder: &Path) -> Result<String, Fault> {
    let plan = chain.plan;
    let shown = folder.display();
    let mut text = format!(
        "-- {} to {}, as {}.\n-- The files:\n",
        plan.database, plan.goal, chain.name
    );
    for step in &plan.steps {
        let place = &step.set.place;
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "--   twinset media export {} --position {} --to '{shown}'",
            place.media_set, place.position
        );
    }
    let by_mark = matches!(plan.stop, Some(Stop::Mark { .. }));
    for (number, step) in plan.steps.iter().enumerate() {
        let facts = holdings.facts(&step.set.place)?;
        let families = step.set.sources.len();
        let file = |family| folder.join(export::name(facts, family, families));
        let devices = (1..=families).map(|family| Medium::Disk(file(family).display().to_string()));
        let statement = chain::statement(chain, number, devices.collect(), facts);
        let _ = writeln!(text, "-- {}", step.set.named());
        if by_mark && step.stops {
            // Once the mark was found the database is open, and takes no more logs.
            let _ = write!(
                text,
                "IF EXISTS (SELECT * FROM sys.databases WHERE name = {} AND state = 1) ",
                quote_literal(chain.name)
            );
        }
        let _ = writeln!(text, "{};", statement.to_sql());
    }
    if chain.norecovery {
        let _ = writeln!(text, "-- To open it: {};", recover_sql(chain.name));
    }
    Ok(text)
}
