//! Transactions: counted, announced, never holding anything.

use super::Session;
use crate::instance::statement::simple::transaction_tokens;
use crate::tds::bytes::Malformed;
use crate::tds::reply::Reply;
use crate::tds::rpc;
use crate::tds::tokens::ServerMessage;

impl Session {
    /// BEGIN, COMMIT, ROLLBACK, SAVE as statements.
    pub fn transaction_word(&mut self, word: &str) -> Result<Vec<u8>, ServerMessage> {
        match word {
            "BEGIN" => Ok(self.begin()),
            "SAVE" => Ok(Vec::new()),
            _ if self.transactions == 0 => {
                let (number, text) = if word == "COMMIT" {
                    (
                        3902,
                        "COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.",
                    )
                } else {
                    (
                        3903,
                        "ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.",
                    )
                };
                Err(ServerMessage::new(number, 16, text))
            }
            "COMMIT" => {
                if self.transactions == 1 {
                    self.commit_writes()?;
                }
                Ok(self.end(9))
            }
            _ => {
                self.forget_writes();
                Ok(self.end(10))
            }
        }
    }

    fn begin(&mut self) -> Vec<u8> {
        self.transactions += 1;
        self.note_transactions();
        if self.transactions > 1 {
            return Vec::new();
        }
        self.descriptor += 1;
        transaction_tokens(8, self.descriptor)
    }

    fn end(&mut self, kind: u8) -> Vec<u8> {
        self.transactions = if kind == 9 { self.transactions - 1 } else { 0 };
        self.note_transactions();
        match self.transactions {
            0 => transaction_tokens(kind, self.descriptor),
            _ => Vec::new(),
        }
    }

    fn note_transactions(&self) {
        if let Some(row) = self.instance.state().sessions.get_mut(&self.spid) {
            row.transactions = self.transactions;
        }
    }

    /// A transaction manager request: 5 begin, 7 commit, 8 rollback, 9 save.
    pub(super) fn manage(&mut self, body: &[u8], mut reply: Reply) -> Result<(), Malformed> {
        let mut cursor = rpc::after_headers(body)?;
        let word = match cursor.u16()? {
            5 => "BEGIN",
            7 => "COMMIT",
            8 => "ROLLBACK",
            9 => "SAVE",
            _ => {
                return Err(Malformed(
                    "transaction manager request the double does not know",
                ));
            }
        };
        match self.transaction_word(word) {
            Ok(bytes) => {
                reply.raw(&bytes);
                reply.done(0, None);
            }
            Err(message) => self.fail(&mut reply, 0, &[message]),
        }
        reply.end_batch();
        Ok(())
    }
}
