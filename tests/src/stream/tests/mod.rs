//! The generator against the checker, and the checker against what SQL Server wrote.
#![allow(clippy::unwrap_used, clippy::panic)]

mod corpus;
mod damage;
mod generated;

use super::{GeneratedStream, Kind, Spec, StreamCheck, StreamFacts, StreamFault, SumPolicy};

/// All bytes of a family, read in pieces of `step`.
fn whole(spec: &Spec, family: u16, step: usize) -> Vec<u8> {
    let mut stream = GeneratedStream::new(spec, family).unwrap();
    let mut bytes = Vec::new();
    let mut piece = vec![0; step];
    loop {
        let count = stream.fill(&mut piece);
        bytes.extend_from_slice(&piece[..count]);
        if count < step {
            assert_eq!(bytes.len() as u64, stream.total_length());
            assert_eq!(stream.position(), stream.total_length());
            return bytes;
        }
    }
}

fn check(bytes: &[u8], policy: SumPolicy) -> Result<StreamFacts, StreamFault> {
    check_in_steps(bytes, policy, bytes.len().max(1))
}

fn check_in_steps(
    bytes: &[u8],
    policy: SumPolicy,
    step: usize,
) -> Result<StreamFacts, StreamFault> {
    let mut check = StreamCheck::new(policy);
    for piece in bytes.chunks(step) {
        check.feed(piece)?;
    }
    check.finish()
}

fn number(result: Result<StreamFacts, StreamFault>) -> u32 {
    result.map_or_else(|fault| fault.number, |_| 0)
}

fn small(kind: Kind, families: u16) -> Spec {
    Spec {
        kind,
        ..Spec::new(7, 200_000, families)
    }
}
