//! SQL Server Browser: tells on UDP port 1434 which TCP port a named instance has (MS-SQLR).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::runtime::Runtime;

use super::{RunningInstance, Scene};

/// Where it listens.
const PORT: u16 = 1434;
/// CLNT_UCAST_INST: the question for one instance.
const ASKED: u8 = 4;
/// SVR_RESP.
const TOLD: u8 = 5;
/// Longest question: a byte, 32 characters of a name, and a zero.
const LONGEST: usize = 34;

/// Lets it answer at every address that the scene wants it at.
///
/// # Errors
/// The port is taken.
pub(super) fn serve(
    scene: &Scene,
    running: &[RunningInstance],
    runtime: &Runtime,
) -> io::Result<()> {
    let wanted = scene.instances.iter().filter(|instance| instance.browser);
    for address in wanted.map(|instance| instance.address) {
        let there = running.iter().filter(|one| one.address == address);
        let known: BTreeMap<String, String> = there.filter_map(told).collect();
        let socket = runtime.block_on(UdpSocket::bind(SocketAddr::from((address, PORT))))?;
        runtime.spawn(answer(socket, known));
    }
    Ok(())
}

/// A named instance, and what is told of it.
fn told(running: &RunningInstance) -> Option<(String, String)> {
    let (host, instance) = running.name.split_once('\\')?;
    let text = format!(
        "ServerName;{host};InstanceName;{instance};IsClustered;No;Version;{};tcp;{};;",
        running.instance.version().product(),
        running.port
    );
    Some((instance.to_lowercase(), text))
}

/// Questions that it does not know, or cannot read, are not answered at all.
async fn answer(socket: UdpSocket, known: BTreeMap<String, String>) {
    let mut question = [0_u8; LONGEST];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        let Some((ASKED, name)) = question[..length].split_first().map(|(a, b)| (*a, b)) else {
            continue;
        };
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        let name = String::from_utf8_lossy(name).to_lowercase();
        let Some(text) = known.get(&name) else {
            continue;
        };
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let head = [&[TOLD][..], &length.to_le_bytes()].concat();
        // Datagrams get lost; whoever asked asks again.
        let _ = socket
            .send_to(&[&head, text.as_bytes()].concat(), from)
            .await;
    }
}
