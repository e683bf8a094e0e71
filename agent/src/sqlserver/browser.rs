//! Asks SQL Server Browser for the port of a named instance (MS-SQLR, CLNT_UCAST_INST).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Where Browser listens.
const PORT: u16 = 1434;
/// Questions asked of one address; datagrams get lost.
const TRIES: u32 = 3;
/// Time for one answer.
const WAIT: Duration = Duration::from_secs(1);
/// Longest answer that is read; real ones are far below 1 KiB.
const MAX_ANSWER: usize = 4096;
/// Longest instance name (SQL Server's limit is 16).
const MAX_NAME: usize = 32;

/// Port of `instance` on `address`.
///
/// # Errors
/// A sentence for the cause of a fault.
pub(super) async fn port(address: IpAddr, instance: &str) -> Result<u16, String> {
    port_at(SocketAddr::new(address, PORT), instance).await
}

async fn port_at(browser: SocketAddr, instance: &str) -> Result<u16, String> {
    if instance.is_empty() || instance.len() > MAX_NAME || !instance.is_ascii() {
        return Err(format!("{instance:?} is no name of an instance"));
    }
    let any: IpAddr = match browser {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let text = |error: std::io::Error| format!("SQL Server Browser at {browser}: {error}");
    let socket = UdpSocket::bind((any, 0)).await.map_err(text)?;
    // Connected, so that datagrams of others are not taken for the answer.
    socket.connect(browser).await.map_err(text)?;
    let question = [&[4_u8], instance.as_bytes(), &[0]].concat();
    let mut answer = [0_u8; MAX_ANSWER];
    let mut last = format!("SQL Server Browser at {browser} does not answer");
    for _ in 0..TRIES {
        socket.send(&question).await.map_err(text)?;
        match timeout(WAIT, socket.recv(&mut answer)).await {
            Ok(Ok(length)) => {
                return parse(answer.get(..length).unwrap_or_default(), instance);
            }
            Ok(Err(error)) => last = text(error),
            Err(_) => {}
        }
    }
    Err(last)
}

/// Reads `05`, length, and `ServerName;H;InstanceName;I;...;tcp;1433;;`.
fn parse(answer: &[u8], instance: &str) -> Result<u16, String> {
    let malformed = || "SQL Server Browser sent an answer that cannot be read".to_owned();
    let (head, body) = answer.split_at_checked(3).ok_or_else(malformed)?;
    let length = head
        .get(1..)
        .and_then(|l| <[u8; 2]>::try_from(l).ok())
        .map(u16::from_le_bytes);
    let length = usize::from(length.ok_or_else(malformed)?);
    let body = body.get(..length).ok_or_else(malformed)?;
    if head.first() != Some(&5) {
        return Err(malformed());
    }
    let text = String::from_utf8_lossy(body);
    let fields: Vec<&str> = text.split(';').collect();
    let value = |key: &str| {
        let index = fields
            .iter()
            .step_by(2)
            .position(|field| field.eq_ignore_ascii_case(key))?;
        fields.get(index * 2 + 1).copied()
    };
    if !value("InstanceName").is_some_and(|name| name.eq_ignore_ascii_case(instance)) {
        return Err(format!(
            "SQL Server Browser does not know the instance {instance}"
        ));
    }
    let port = value("tcp")
        .and_then(|port| port.parse::<u16>().ok())
        .filter(|port| *port != 0);
    port.ok_or_else(|| format!("the instance {instance} does not listen on TCP"))
}

#[cfg(test)]
mod tests;
