//! The form of entries on disk: files of frames, and how much of a file is to be believed. It opens no file.
//!
//! ```text
//! header  | SRNONCE1 8 | key check 16 | number 8 | oldest 8 | identity 8 | watermark 8 | CRC 4 |          60 bytes
//! frame   | mark 4 | entries 4 | index 8 | entries x 32 | CRC 4 |                             20 + 32 n bytes
//! entry   | fingerprint 16 | lineage 8 | second 8 |                                       all big-endian
//! ```
//!
//! A frame is one group: it was written and made durable before the next was begun. So after a crash at most the last
//! frame is damaged, and nobody was told that it is durable. A damaged frame with a sound one behind it is no crash but
//! a fault of the disk or a stranger's work: then not all is known any more. (The last frame itself damaged by the disk
//! looks like a crash; a checksum cannot tell.) A CRC covers its file's header too, so a frame belongs to one file.

use super::window::Entry;
use crc32fast::Hasher;

const MAGIC: [u8; 8] = *b"SRNONCE1";
const MARK: [u8; 4] = [0xf7, 0x4e, 0x0f, 0xce];
/// Bytes of a file's header.
pub const HEADER_BYTES: usize = 60;
const CRC_BYTES: usize = 4;
const FRAME_HEAD_BYTES: usize = 16;
const ENTRY_BYTES: usize = 32;
/// Entries of one frame, at most.
pub const FRAME_ENTRIES_MAX: usize = 4_096;

/// The head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalHeader {
    /// Tells the key of the fingerprints from another.
    pub key_check: u128,
    /// The file's number, from 1, each one more than the one before.
    pub number: u64,
    /// The number of the oldest file that still counted when this one was begun.
    pub oldest: u64,
    /// What the file system calls the file, such as its inode: a copy has another.
    pub identity: u64,
    /// Nothing from up to this second is accepted any more; entries from there may be gone.
    pub watermark: i64,
}

/// Makes the frames of one file.
pub struct Frames {
    seed: Hasher,
    next: u64,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// With a whole frame.
    Whole,
    /// With a frame that a crash cut short.
    Torn,
    /// There is a sound frame behind one that is not.
    Damaged,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFile {
    /// Its head.
    pub header: JournalHeader,
    /// The entries of all frames up to the first that is not sound.
    pub entries: Vec<Entry>,
    /// How far the file is sound.
    pub sound_bytes: usize,
    /// How it ends.
    pub tail: Tail,
}

impl JournalHeader {
    /// As it begins a file.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let (body, crc) = bytes.split_at_mut(HEADER_BYTES - CRC_BYTES);
        let fields = MAGIC
            .into_iter()
            .chain(self.key_check.to_be_bytes())
            .chain(self.number.to_be_bytes())
            .chain(self.oldest.to_be_bytes())
            .chain(self.identity.to_be_bytes())
            .chain(self.watermark.to_be_bytes());
        body.iter_mut().zip(fields).for_each(|(place, byte)| *place = byte);
        crc.copy_from_slice(&crc32fast::hash(body).to_be_bytes());
        bytes
    }

    /// None if the file does not begin with a sound header.
    pub fn read(file: &[u8]) -> Option<Self> {
        let (body, crc) = file.get(..HEADER_BYTES)?.split_last_chunk::<CRC_BYTES>()?;
        let mut fields = Reader(body.strip_prefix(&MAGIC)?);
        let sound = u32::from_be_bytes(*crc) == crc32fast::hash(body);
        sound.then_some(())?;
        Some(Self {
            key_check: u128::from_be_bytes(fields.take()?),
            number: u64::from_be_bytes(fields.take()?),
            oldest: u64::from_be_bytes(fields.take()?),
            identity: u64::from_be_bytes(fields.take()?),
            watermark: i64::from_be_bytes(fields.take()?),
        })
    }
}

impl Frames {
    /// For the file with this header, from its first frame on.
    pub fn new(header: &JournalHeader) -> Self {
        let mut seed = Hasher::new();
        seed.update(&header.to_bytes());
        Self { seed, next: 0 }
    }

    /// Appends the next frame to `out`; none of no entries, and no more than [`FRAME_ENTRIES_MAX`] of many. Returns how
    /// many were taken.
    pub fn encode(&mut self, entries: &[Entry], out: &mut Vec<u8>) -> usize {
        let entries = entries.get(..entries.len().min(FRAME_ENTRIES_MAX)).unwrap_or_default();
        if entries.is_empty() {
            return 0;
        }
        let begin = out.len();
        out.extend(MARK);
        out.extend((entries.len() as u32).to_be_bytes());
        out.extend(self.next.to_be_bytes());
        for entry in entries {
            out.extend(entry.fingerprint.to_be_bytes());
            out.extend(entry.lineage.to_be_bytes());
            out.extend(entry.second.to_be_bytes());
        }
        let crc = self.crc(out.get(begin..).unwrap_or_default());
        out.extend(crc.to_be_bytes());
        self.next += 1;
        entries.len()
    }

    fn crc(&self, frame: &[u8]) -> u32 {
        let mut hasher = self.seed.clone();
        hasher.update(frame);
        hasher.finalize()
    }

    /// The sound frame with which `bytes` begin: its index, entries and length.
    fn decode(&self, bytes: &[u8]) -> Option<(u64, Vec<Entry>, usize)> {
        let mut head = Reader(bytes.strip_prefix(&MARK)?);
        let count = usize::try_from(u32::from_be_bytes(head.take()?)).ok()?;
        let index = u64::from_be_bytes(head.take()?);
        let body_bytes = FRAME_HEAD_BYTES + count.checked_mul(ENTRY_BYTES)?;
        if !(1..=FRAME_ENTRIES_MAX).contains(&count) {
            return None;
        }
        let (body, rest) = bytes.split_at_checked(body_bytes)?;
        if u32::from_be_bytes(*rest.first_chunk()?) != self.crc(body) {
            return None;
        }
        let entries = body.get(FRAME_HEAD_BYTES..)?.chunks_exact(ENTRY_BYTES).filter_map(entry).collect();
        Some((index, entries, body_bytes + CRC_BYTES))
    }
}

impl JournalFile {
    /// Reads a whole file; none if it does not begin with a sound header.
    pub fn read(file: &[u8]) -> Option<Self> {
        let header = JournalHeader::read(file)?;
        let mut frames = Frames::new(&header);
        let (mut entries, mut rest) = (Vec::new(), file.get(HEADER_BYTES..)?);
        while let Some((index, of_frame, bytes)) = frames.decode(rest) {
            if index != frames.next {
                break;
            }
            frames.next += 1;
            entries.extend(of_frame);
            rest = rest.get(bytes..).unwrap_or_default();
        }
        let tail = match rest {
            [] => Tail::Whole,
            // INVARIANT: the frame after a torn one was never begun, so none that is sound can be there.
            _ if (0..rest.len())
                .any(|at| rest.get(at..).is_some_and(|from| frames.decode(from).is_some())) =>
            {
                Tail::Damaged
            }
            _ => Tail::Torn,
        };
        Some(Self { header, entries, sound_bytes: file.len() - rest.len(), tail })
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let mut fields = Reader(bytes);
    Some(Entry {
        fingerprint: u128::from_be_bytes(fields.take()?),
        lineage: u64::from_be_bytes(fields.take()?),
        second: i64::from_be_bytes(fields.take()?),
    })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: JournalHeader =
        JournalHeader { key_check: 7, number: 3, oldest: 2, identity: 99, watermark: 1_800_000_000 };

    fn entries(count: usize, from: i64) -> Vec<Entry> {
        (0..count as i64)
            .map(|number| Entry {
                fingerprint: u128::MAX - (from + number).unsigned_abs() as u128,
                lineage: number.unsigned_abs(),
                second: from + number,
            })
            .collect()
    }

    /// A file of frames with so many entries each, and where each frame ends.
    fn file(counts: &[usize]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = HEADER.to_bytes().to_vec();
        let (mut frames, mut ends) = (Frames::new(&HEADER), vec![HEADER_BYTES]);
        for (number, count) in counts.iter().enumerate() {
            assert_eq!(frames.encode(&entries(*count, number as i64 * 10_000), &mut bytes), *count);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_file_cut_at_any_byte_keeps_its_whole_frames() {
        let (bytes, ends) = file(&[1, 3, 2]);
        for cut in 0..=bytes.len() {
            let read = JournalFile::read(&bytes[..cut]);
            let Some(whole) = ends.iter().rposition(|end| *end <= cut) else {
                assert_eq!(read, None, "{cut}");
                continue;
            };
            let read = read.unwrap();
            assert_eq!(read.sound_bytes, ends[whole], "{cut}");
            assert_eq!(read.entries.len(), [0, 1, 4, 6][whole], "{cut}");
            assert_eq!(read.tail, if cut == ends[whole] { Tail::Whole } else { Tail::Torn }, "{cut}");
        }
    }

    #[test]
    fn a_tail_that_was_allotted_and_not_written_is_torn() {
        let (mut bytes, ends) = file(&[2]);
        bytes.extend([0; 500]);
        let read = JournalFile::read(&bytes).unwrap();
        assert_eq!((read.sound_bytes, read.tail, read.entries.len()), (ends[1], Tail::Torn, 2));
    }

    #[test]
    fn damage_before_a_sound_frame_is_no_crash() {
        let (bytes, ends) = file(&[2, 1, 3]);
        for place in HEADER_BYTES..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 0x10;
            let read = JournalFile::read(&altered).unwrap();
            let last = place >= ends[2];
            assert_eq!(read.tail, if last { Tail::Torn } else { Tail::Damaged }, "{place}");
        }
        for place in 0..HEADER_BYTES {
            let mut altered = bytes.clone();
            altered[place] ^= 0x10;
            assert_eq!(JournalFile::read(&altered), None, "{place}");
        }
    }

    #[test]
    fn a_missing_a_doubled_and_a_strangers_frame_are_damage() {
        let (bytes, ends) = file(&[1, 1, 1]);
        let without = [&bytes[..ends[1]], &bytes[ends[2]..]].concat();
        let doubled = [&bytes[..ends[2]], &bytes[ends[1]..]].concat();
        for altered in [without, doubled] {
            assert_eq!(JournalFile::read(&altered).unwrap().tail, Tail::Damaged);
        }
        // A frame of another file does not belong to this one: here it stands at the end and looks torn.
        let other = JournalHeader { number: 4, ..HEADER };
        let mut mixed = other.to_bytes().to_vec();
        mixed.extend(&bytes[HEADER_BYTES..ends[1]]);
        let read = JournalFile::read(&mixed).unwrap();
        assert_eq!((read.entries.len(), read.tail), (0, Tail::Torn));
    }

    #[test]
    fn a_frame_is_bounded() {
        let many = entries(FRAME_ENTRIES_MAX + 5, 0);
        let (mut frames, mut bytes) = (Frames::new(&HEADER), HEADER.to_bytes().to_vec());
        assert_eq!(frames.encode(&many, &mut bytes), FRAME_ENTRIES_MAX);
        assert_eq!(frames.encode(&[], &mut bytes), 0);
        assert_eq!(JournalFile::read(&bytes).unwrap().entries, many[..FRAME_ENTRIES_MAX]);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            counts in proptest::collection::vec(1_usize..50, 0..20),
        ) {
            let (bytes, _) = file(&counts);
            let read = JournalFile::read(&bytes).unwrap();
            let written: Vec<Entry> = counts.iter().enumerate()
                .flat_map(|(number, count)| entries(*count, number as i64 * 10_000)).collect();
            prop_assert_eq!(read.header, HEADER);
            prop_assert_eq!(read.entries, written);
            prop_assert_eq!(read.tail, Tail::Whole);
        }

        #[test]
        fn no_bytes_make_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..200) {
            let (mut file, _) = file(&[1, 2]);
            let at = at.min(file.len());
            file.splice(at..file.len().min(at + bytes.len()), bytes.iter().copied());
            let read = JournalFile::read(&file);
            prop_assert!(read.is_none_or(|read| read.sound_bytes <= file.len()));
        }
    }
}
