//! The door for clients that share no memory: the same answers as the library gives, and a
//! connection that breaks is a process that died.

use std::net::{SocketAddr, TcpStream};

use sqlvdi::abi::{commands, features, returns};
use sqlvdi::server::{Knobs, Negotiated, ServerError, ServerSet};
use sqlvdi_com::wire::{Answer, Ask, Completion};

use crate::harness::fresh_name;

struct Client(TcpStream);

impl Client {
    fn new(door: SocketAddr) -> Self {
        Self(TcpStream::connect(door).unwrap())
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        ask.say(&mut self.0).unwrap();
        Answer::hear(&mut self.0).unwrap()
    }

    fn code(&mut self, ask: &Ask) -> i32 {
        self.ask(ask).code
    }
}

fn create(name: &str, instance: Option<&str>) -> Ask {
    Ask::Create {
        instance: instance.map(str::to_owned),
        name: name.to_owned(),
        config: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    }
}

/// A set that is created, configured and opened, with its two connections and its server.
fn opened(backup: bool) -> (Client, Client, ServerSet) {
    let door = sqlvdi::door::open(vec![None]).unwrap();
    let (mut owner, mut device) = (Client::new(door), Client::new(door));
    let name = fresh_name();
    assert_eq!(owner.code(&create(&name, None)), returns::OK);
    assert_eq!(owner.code(&Ask::Configuration(1)), returns::TIMEOUT);
    let mut server = ServerSet::open_with(&name, Knobs::default()).unwrap();
    let way = [features::READ_MEDIA, features::WRITE_MEDIA][usize::from(backup)];
    let wanted = Negotiated {
        features: way,
        block_size: 512,
        max_transfer_size: 65536,
        buffer_count: 0,
        device_names: vec![name.clone()],
    };
    assert_eq!(device.code(&Ask::Join { name: name.clone() }), returns::OK);
    let open = Ask::Open { name };
    assert_eq!(device.code(&open), returns::PROTOCOL);
    server.configure(wanted).unwrap();
    assert_eq!(
        owner.ask(&Ask::Configuration(u32::MAX)).config().unwrap()[9],
        65536
    );
    assert_eq!(device.code(&Ask::Command(1)), returns::NOT_OPEN);
    assert_eq!(device.code(&open), returns::OK);
    (owner, device, server)
}

fn completion(token: u64, bytes: u32, data: Vec<u8>) -> Ask {
    Ask::Complete(Completion {
        token,
        code: 0,
        bytes,
        position: 0,
        data,
    })
}

#[test]
fn bytes_pass_both_ways_and_a_command_is_completed_once() {
    for backup in [true, false] {
        let (mut owner, mut client, server) = opened(backup);
        let mut device = server.device(0).unwrap();
        let ticket = if backup {
            device.write(|room| {
                room[..1024].fill(7);
                1024
            })
        } else {
            device.read(1024)
        };
        let command = client.ask(&Ask::Command(u32::MAX)).command().unwrap();
        let order = [commands::READ, commands::WRITE][usize::from(backup)];
        assert_eq!((command.code, command.size), (order, 1024));
        let data = if backup {
            assert_eq!(command.data, [7; 1024]);
            Vec::new()
        } else {
            vec![9; 1024]
        };
        let done = completion(command.token, 1024, data);
        assert_eq!(client.code(&completion(1, 0, Vec::new())), returns::INVALID);
        assert_eq!(client.code(&done), returns::OK);
        assert_eq!(client.code(&done), returns::INVALID);
        let came = device.wait(ticket.unwrap()).unwrap();
        assert!(backup || came.data == [9; 1024]);
        device.close();
        assert_eq!(client.code(&Ask::Command(u32::MAX)), returns::CLOSE);
        assert_eq!(owner.code(&Ask::Close), returns::OK);
        assert_eq!(owner.code(&Ask::Close), returns::PROTOCOL);
        assert_eq!(client.code(&Ask::Command(0)), returns::NOT_OPEN);
        assert!(server.violations().is_clean());
    }
}

#[test]
fn a_connection_that_breaks_is_a_client_that_died() {
    let (owner, mut client, server) = opened(true);
    drop(owner);
    let mut device = server.device(0).unwrap();
    let outcome = device
        .command(commands::FLUSH)
        .and_then(|ticket| device.wait(ticket));
    assert_eq!(outcome.err(), Some(ServerError::Aborted));
    assert_eq!(client.code(&Ask::Command(0)), returns::NOT_OPEN);
    assert!(!server.aborted_by_client(), "nobody signalled anything");
}

#[test]
fn what_the_library_refuses_the_door_refuses() {
    let door = sqlvdi::door::open(vec![Some("PAY".into())]).unwrap();
    let mut client = Client::new(door);
    let name = fresh_name();
    // VD_E_INSTANCE_NAME.
    for wrong in [None, Some("WIN-A\\PAY"), Some("")] {
        assert_eq!(
            client.code(&create(&name, wrong)).cast_unsigned(),
            0x8077_0007
        );
    }
    assert_eq!(client.code(&Ask::Configuration(0)), returns::NOT_OPEN);
    assert_eq!(client.code(&create("a/b", Some("PAY"))), returns::INVALID);
    assert_eq!(client.code(&create(&name, Some("pay"))), returns::OK);
    assert_eq!(client.code(&create(&name, Some("pay"))), returns::PROTOCOL);
    let mut other = Client::new(door);
    assert_eq!(other.code(&create(&name, Some("PAY"))), returns::PROTOCOL);
    let unknown = Ask::Join { name: "x".into() };
    assert_eq!(other.code(&unknown), returns::INVALID);
    assert_eq!(other.code(&Ask::Join { name }), returns::OK);
    // Aborted by a companion; the owner's wait ends.
    assert_eq!(other.code(&Ask::Abort), returns::OK);
    assert_eq!(client.code(&Ask::Configuration(u32::MAX)), returns::ABORT);
}
