//! Where a partner is: network addresses of mirroring endpoints, and what speaks against a pair.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The host of an address, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Host {
    /// A name.
    Name(String),
    /// An explicit IP address of the fourth version.
    V4(Ipv4Addr),
    /// An explicit IP address of the sixth version.
    V6(Ipv6Addr),
}

/// Address of a mirroring endpoint: `TCP://host:port`. It is no place where a client logs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The host.
    pub host: Host,
    /// Port of the endpoint.
    pub port: u16,
}

impl FromStr for Address {
    type Err = ();

    /// The scheme in either case; a name, an IPv4 address, or an IPv6 address in brackets.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, rest) = text.split_once("://").ok_or(())?;
        let (host, port) = rest.rsplit_once(':').ok_or(())?;
        if !scheme.eq_ignore_ascii_case("tcp") || host.is_empty() {
            return Err(());
        }
        let port = port.parse().map_err(|_| ())?;
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = match (bracketed, host.parse()) {
            (Some(inner), _) => Host::V6(inner.parse().map_err(|_| ())?),
            (None, Ok(v4)) => Host::V4(v4),
            (None, Err(_)) if host.contains(['[', ']', ':', '/']) => return Err(()),
            (None, Err(_)) => Host::Name(host.to_owned()),
        };
        Ok(Self { host, port })
    }
}

impl Address {
    /// Whether it names its host by number.
    #[must_use]
    pub const fn is_explicit_ip(&self) -> bool {
        !matches!(self.host, Host::Name(_))
    }
}

/// What is known of a partner's place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Computer, or virtual name of a cluster (`MachineName`).
    pub machine: Option<String>,
    /// Computer that it runs on now (`ComputerNamePhysicalNetBIOS`).
    pub physical: Option<String>,
    /// The other partner's endpoint, as its own session names it (`mirroring_partner_name`).
    pub partner: Option<String>,
}

/// What speaks against protecting a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "objection")]
pub enum Objection {
    /// Both copies are on one computer: one fire takes both.
    SameComputer {
        /// Its name.
        computer: String,
    },
    /// A partner is named by an IP address: after a move nobody finds it.
    ExplicitIp {
        /// The address as the session has it.
        address: String,
    },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameComputer { computer } => {
                write!(f, "both copies are on one computer, {computer}")
            }
            Self::ExplicitIp { address } => {
                write!(
                    f,
                    "the session names its partner by an IP address, {address}"
                )
            }
        }
    }
}

/// What speaks against a pair. Two instances of a cluster may share a node for now: the virtual
/// names decide where there are any.
#[must_use]
pub fn objections(first: &Place, second: &Place) -> Vec<Objection> {
    let mut found = Vec::new();
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => Some(a.clone()),
        _ => None,
    };
    let clustered = |place: &Place| same(&place.machine, &place.physical).is_none();
    let nodes = || match clustered(first) || clustered(second) {
        true => None,
        false => same(&first.physical, &second.physical),
    };
    if let Some(computer) = same(&first.machine, &second.machine).or_else(nodes) {
        found.push(Objection::SameComputer { computer });
    }
    for place in [first, second] {
        let address = place.partner.as_deref().unwrap_or_default();
        let explicit = address.parse().is_ok_and(|a: Address| a.is_explicit_ip());
        let objection = Objection::ExplicitIp {
            address: address.to_owned(),
        };
        if explicit && !found.contains(&objection) {
            found.push(objection);
        }
    }
    found
}
