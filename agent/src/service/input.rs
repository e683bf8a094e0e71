//! What the service is told, and what it answers.

use std::sync::mpsc::Sender;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use twinset_domain::presence::Traces;
use twinset_domain::{Fault, Moment};

use super::outcome::Outcome;
use crate::sqlserver::partners::Told;
use crate::web::Overview;

/// Something that the service is told.
#[derive(Debug)]
pub(super) enum Input {
    /// An instance was asked.
    Heard {
        /// Its name in the configuration.
        instance: String,
        /// What it said.
        heard: Result<Box<Told>, Fault>,
        /// How long it took.
        took: Duration,
    },
    /// An instance was looked at for signs of other agents.
    Traced {
        /// Its name in the configuration.
        instance: String,
        /// What it showed; nothing where it could not be asked.
        traces: Option<Traces>,
    },
    /// A process ended.
    Ended {
        /// Its job.
        job: u64,
        /// How.
        outcome: Outcome,
    },
    /// A device waits for the operator.
    Wished {
        /// The job whose run waits.
        job: u64,
        /// The device.
        device: String,
        /// What it waits for.
        wish: String,
    },
    /// Somebody asks over the control socket.
    Asked {
        /// What.
        request: Request,
        /// Where the answer goes.
        answer: Sender<Answer>,
    },
    /// Somebody looks at the status page or the metrics.
    Looked(Sender<Overview>),
    /// Files of the configuration may have changed.
    Files,
}

/// What may be asked of a running service, one JSON object per line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How it stands.
    Status,
    /// What runs and waits.
    Jobs,
    /// Stops a job.
    Cancel {
        /// Its number.
        job: u64,
    },
    /// Runs the consistency check and waits for its end.
    Check {
        /// The protection group.
        group: String,
        /// Only this database.
        database: Option<String>,
    },
    /// Nothing of the group runs until then.
    Pause {
        /// The protection group.
        group: String,
        /// Only this database.
        database: Option<String>,
        /// Until when.
        until: Moment,
    },
    /// The group goes on.
    Resume {
        /// The protection group.
        group: String,
        /// Only this database.
        database: Option<String>,
    },
    /// Databases that no group means any more are let go.
    Unprotect {
        /// The protection group.
        group: String,
        /// Only this database.
        database: Option<String>,
    },
    /// The operator has seen the change of a session: protection goes on.
    Reprotect {
        /// The protection group.
        group: String,
        /// Only this database.
        database: Option<String>,
    },
}

/// What the service answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The result, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// How a process ends that asked.
    pub exit: u8,
}
