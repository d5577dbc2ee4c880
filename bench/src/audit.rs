//! What the transparency log costs beside the bare SHA-256 over the same bytes: verifying a history, appending, the root
//! after each leaf, and a change of the key table. Processor time, so that a busy machine changes less of it.

use crate::http::processor::used_by;
use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::{Failure, Plan};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use strongroom_audit::{Content, Entry, Hash, KeyTable, Tree, Written, leaf_hash};

/// Leaves of a history that is verified: the goal is below 10 s.
const LEAVES: u64 = 10_000_000;
const TABLE_KEYS: u32 = 100_000;
/// Bytes of the event, of which the commitment is made.
const BODY_BYTES: usize = 200;
const SALT: [u8; 16] = [7; 16];

/// What is hashed for a leaf beside its commitment and its entry: two children behind a byte.
const NODE_BYTES: usize = 65;

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let title = format!(
        "The transparency log: {LEAVES} leaves of events of {BODY_BYTES} bytes; s of processor time, medians of {} rounds",
        plan.rounds
    );
    let columns = ["work", "times", "s", "lowest", "highest", "a second", "bare sha-256"];
    let mut table = Table::new(title, &columns);
    let works: [(&str, u64, Work); 4] = [
        ("verify: commitment, entry, leaf, tree", LEAVES, verify),
        ("append a leaf hash", LEAVES, append),
        ("append a leaf hash, and the root", LEAVES / 10, append_and_root),
        ("change a record of a table of 100,000", TABLE_KEYS.into(), change_records),
    ];
    for (name, times, work) in works {
        let rounds: Vec<f64> = (0..plan.rounds).map(|_| work(times)).collect::<Result<_, _>>()?;
        let bare = if name.starts_with("verify") { figure(bare(times)?) } else { String::new() };
        let (lowest, highest) = range(&rounds);
        let seconds = [median(&rounds), lowest, highest].map(figure);
        let rate = figure(times as f64 / median(&rounds));
        table.row([name.to_owned(), times.to_string()].into_iter().chain(seconds).chain([rate, bare]));
    }
    report.add(table);
    Ok(())
}

/// Does something so many times, and says how many seconds of a core it took.
type Work = fn(u64) -> Result<f64, Failure>;

/// Seconds that this process has been on a core.
fn used() -> Result<f64, Failure> {
    Ok(used_by(std::process::id())? / 1e6)
}

fn verify(leaves: u64) -> Result<f64, Failure> {
    let body = "x".repeat(BODY_BYTES);
    let (mut tree, mut buffer) = (Tree::default(), Vec::new());
    let start = used()?;
    for seq in 0..leaves {
        let content = Content { at: "2026-01-02T21:00:00Z", actor: "ap/acme.1", body: &body, salt: &SALT };
        let entry = Entry {
            written: Written::WithEvent,
            stream: "fund/BTCX",
            seq,
            recorded_at: "2026-01-02T21:00:00.125Z",
            kind: "OrderPlaced",
            commitment: content.commitment(),
        };
        buffer.clear();
        entry.write(&mut buffer)?;
        tree.append(leaf_hash(&buffer));
    }
    black_box(tree.root());
    Ok(used()? - start)
}

/// SHA-256 over as many bytes, in the same three pieces for each leaf.
fn bare(leaves: u64) -> Result<f64, Failure> {
    let committed = vec![7; SALT.len() + 3 * 8 + 29 + BODY_BYTES];
    let (entry, node) = (vec![7; 1 + 1 + 2 + 9 + 8 + 2 + 24 + 2 + 11 + 32], [7; NODE_BYTES]);
    let start = used()?;
    for _ in 0..leaves {
        black_box(Sha256::digest(black_box(&committed)));
        black_box(Sha256::digest(black_box(&entry)));
        black_box(Sha256::digest(black_box(&node)));
    }
    Ok(used()? - start)
}

fn append(leaves: u64) -> Result<f64, Failure> {
    let leaf = leaf_hash(b"");
    let mut tree = Tree::default();
    let start = used()?;
    for _ in 0..leaves {
        tree.append(black_box(leaf));
    }
    black_box(tree.root());
    Ok(used()? - start)
}

fn append_and_root(leaves: u64) -> Result<f64, Failure> {
    let leaf = leaf_hash(b"");
    let mut tree = Tree::default();
    let start = used()?;
    for _ in 0..leaves {
        tree.append(black_box(leaf));
        black_box::<Hash>(tree.root());
    }
    Ok(used()? - start)
}

fn change_records(changes: u64) -> Result<f64, Failure> {
    let mut table = KeyTable::default();
    let key = |number: u64| (number % u64::from(TABLE_KEYS)).to_be_bytes();
    for number in 0..u64::from(TABLE_KEYS) {
        table.set(&key(number), b"before");
    }
    let start = used()?;
    for number in 0..changes {
        table.set(&key(number), b"after");
        black_box(table.root());
    }
    Ok(used()? - start)
}
