//! Contents of data pages and log blocks: made from seed, family and number alone, quick to
//! make, and compressible about 1.7:1 like the pages of an ordinary database.

/// Bytes of a page.
pub(super) const PAGE: usize = 8192;
/// Bytes of a page's header.
const HEADER: usize = 96;
/// Where the part that does not compress begins.
const RANDOM_AT: usize = 4096;
/// Different texts in the part that compresses.
const FILLERS: usize = 64;
/// Words of the table behind the part that does not.
const NOISE: usize = 8192;

const WORDS: [&[u8]; 7] = [
    b"customer",
    b"order",
    b"2026-03-11",
    b"NULL",
    b"0000000042",
    b"invoice",
    b"pending",
];

/// A good 64-bit mixer (splitmix64).
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Makes the pages of one family.
pub(super) struct Pages {
    key: u64,
    family: u16,
    is_log: bool,
    fillers: Vec<u8>,
    noise: Vec<u64>,
}

impl Pages {
    pub(super) fn new(seed: u64, family: u16, is_log: bool) -> Self {
        let key = mix(seed ^ (u64::from(family) << 48) ^ (u64::from(is_log) << 47));
        let length = RANDOM_AT - HEADER;
        let mut fillers = Vec::with_capacity(FILLERS * length);
        let mut state = mix(seed);
        for index in 1..=FILLERS {
            while fillers.len() < index * length {
                state = mix(state);
                fillers.extend_from_slice(WORDS[(state % 7) as usize]);
                fillers.extend_from_slice(&[0, (state >> 8) as u8, (state >> 16) as u8]);
            }
            fillers.truncate(index * length);
        }
        let noise = (0..NOISE as u64).map(|n| mix(seed ^ (n << 20))).collect();
        Self {
            key,
            family,
            is_log,
            fillers,
            noise,
        }
    }

    /// Fills `page`, [`PAGE`] bytes long, with page `number`.
    pub(super) fn make(&self, number: u64, page: &mut [u8]) {
        let stamp = mix(self.key ^ number);
        self.header(number, stamp, &mut page[..HEADER]);
        let length = RANDOM_AT - HEADER;
        let from = (stamp % FILLERS as u64) as usize * length;
        page[HEADER..RANDOM_AT].copy_from_slice(&self.fillers[from..from + length]);

        // Xor with a key of its own keeps a page's noise unlike that of any other page.
        let start = (stamp >> 16) as usize % (NOISE - PAGE / 8);
        let cells = page[RANDOM_AT..].as_chunks_mut::<8>().0;
        for (cell, word) in cells.iter_mut().zip(&self.noise[start..]) {
            *cell = (word ^ stamp).to_le_bytes();
        }
    }

    /// The parts of SQL Server's page header that mean something without a database. The
    /// flag for a page checksum is not set, so nobody may expect one.
    fn header(&self, number: u64, stamp: u64, header: &mut [u8]) {
        header.fill(0);
        if self.is_log {
            header[0] = 0x50;
        } else {
            header[0] = 1;
            header[1] = if number == 0 && self.family == 1 {
                15
            } else {
                1
            };
        }
        header[22..24].copy_from_slice(&42u16.to_le_bytes());
        header[24..28].copy_from_slice(&(100 + (stamp % 50) as u32).to_le_bytes());
        header[32..36].copy_from_slice(&(number as u32).to_le_bytes());
        header[36..38].copy_from_slice(&1u16.to_le_bytes());
        header[64..72].copy_from_slice(&number.to_le_bytes());
        header[72..74].copy_from_slice(&self.family.to_le_bytes());
        header[80..88].copy_from_slice(&stamp.to_le_bytes());
    }
}
