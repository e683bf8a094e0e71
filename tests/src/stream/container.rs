//! Compressed and encrypted backups: the container around a set.
//!
//! What SQL Server writes there cannot be walked by anyone else (facts/mtf.md 6.7). The double's
//! own container begins alike and hides a plain stream behind a key of its own, so that readers of
//! the format see nothing in it while RESTORE of the double gets everything back.

/// First bytes of a compressed or encrypted backup.
pub(super) const MAGIC: &[u8; 8] = b"MSSQLBAK";
/// The two numbers that follow in real ones.
const VERSIONS: [u8; 8] = [2, 0, 0, 0, 3, 0, 0, 0];
/// Marks containers that the double can open.
const OWN: &[u8; 8] = b"TWINSETX";
/// Bytes of a thumbprint.
pub(super) const THUMBPRINT: usize = 20;
/// Bytes that say everything: magic, versions, mark, key, length of the head,
/// thumbprint, whether it is compressed.
pub(super) const HEAD: usize = 8 + 8 + 8 + 8 + 4 + THUMBPRINT + 1;

/// A container around one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Hides the bytes.
    pub key: u64,
    /// Bytes of its head: one block.
    pub head: u32,
    /// Thumbprint of the certificate that an encrypted set needs; zeros for compressed ones.
    pub thumbprint: [u8; THUMBPRINT],
    /// COMPRESSION was asked for.
    pub is_compressed: bool,
}

impl Container {
    /// The head, [`Self::head`] bytes long.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &VERSIONS, OWN, &self.key.to_le_bytes()].concat();
        bytes.extend(self.head.to_le_bytes());
        bytes.extend(self.thumbprint);
        bytes.push(u8::from(self.is_compressed));
        bytes.resize(self.head as usize, 0);
        bytes
    }

    /// From the first [`HEAD`] bytes; `None` for the containers of others.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.get(16..)?.strip_prefix(OWN)?;
        let (key, rest) = rest.split_first_chunk()?;
        let (head, rest) = rest.split_first_chunk()?;
        let head = u32::from_le_bytes(*head);
        Some(Self {
            key: u64::from_le_bytes(*key),
            head,
            thumbprint: *rest.first_chunk()?,
            is_compressed: rest.get(THUMBPRINT) == Some(&1),
        })
        .filter(|_| (HEAD as u32..=1 << 16).contains(&head))
    }

    /// Hides or shows bytes that stand `at` bytes behind the head.
    pub fn apply(&self, at: u64, bytes: &mut [u8]) {
        let key = self.key.to_le_bytes();
        for (index, byte) in bytes.iter_mut().enumerate() {
            // The position keeps runs of equal bytes from showing.
            let place = at + index as u64;
            *byte ^= key[(place % 8) as usize] ^ (place >> 3) as u8;
        }
    }

    /// The certificate needed, if one is.
    #[must_use]
    pub fn certificate(&self) -> Option<[u8; THUMBPRINT]> {
        (self.thumbprint != [0; THUMBPRINT]).then_some(self.thumbprint)
    }
}
