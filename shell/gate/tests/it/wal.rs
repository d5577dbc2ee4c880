//! Nonces on disk: the states that crashes, copies and damage leave, and what the next start makes of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use strongroom_access::replay::{Entry, FingerprintKey, Limits, Presented, Window};
use strongroom_gate::wal::{AppendError, Loss, NonceLog, OpenError, Opened, Settings};
use strongroom_units::time::Timestamp;
use tempfile::TempDir;

const T0: i64 = 1_800_000_000;
/// The watermark of a first start, a while before the entries.
const FIRST: i64 = T0 - 95;
/// And of a start right after them.
const LATER: i64 = T0 + 25;
/// Bytes of a frame of one entry, and of a header.
const FRAME: usize = 52;
const HEADER: usize = 60;

fn entry(number: i64) -> Entry {
    Entry { fingerprint: number.unsigned_abs().into(), lineage: 1, second: T0 + number }
}

fn open_with(folder: &Path, watermark_if_lost: i64, settings: Settings) -> Opened {
    NonceLog::open(folder, 7, watermark_if_lost, settings).unwrap()
}

fn open(folder: &Path) -> Opened {
    open_with(folder, LATER, Settings::default())
}

/// A folder in which entries 0 to `count` were appended, each in a frame of its own, after a first start.
fn folder_with(count: i64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let opened = open_with(folder.path(), FIRST, Settings::default());
    assert_eq!(opened.loss, Some(Loss::NoFile));
    for number in 0..count {
        opened.log.append_and_wait(entry(number), 0).unwrap();
    }
    folder
}

fn file(folder: &TempDir, number: u64) -> PathBuf {
    folder.path().join(format!("nonces-{number:010}.log"))
}

fn files(folder: &TempDir) -> Vec<String> {
    let names =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".log")).collect();
    names.sort();
    names
}

/// Writes over a file without making a new one, as damage does: the inode stays.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

#[test]
fn every_entry_of_which_somebody_was_told_comes_back() {
    let folder = folder_with(20);
    let opened = open(folder.path());
    assert_eq!((opened.loss, opened.recovered.complete), (None, true));
    assert_eq!(opened.recovered.entries, (0..20).map(entry).collect::<Vec<_>>());
    // The watermark of the first start, of which nothing was known.
    assert_eq!(opened.recovered.watermark, FIRST);
}

#[test]
fn a_crash_at_any_byte_costs_only_what_nobody_was_told() {
    let folder = folder_with(4);
    let path = file(&folder, 1);
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), HEADER + 4 * FRAME);
    for cut in HEADER + FRAME..=whole.len() {
        overwrite(&path, &whole[..cut]);
        let kept = (cut - HEADER) / FRAME;
        // Twice: the first start cuts the torn end off, so that the second does not take it for damage.
        for start in 0..2 {
            let opened = open(folder.path());
            assert_eq!(opened.loss, None, "{cut}, start {start}");
            assert_eq!(opened.recovered.entries.len(), kept, "{cut}");
            drop(opened);
            assert_eq!(fs::read(&path).unwrap().len(), HEADER + kept * FRAME);
        }
        for number in 2..=3 {
            // Start afresh from the file that was cut.
            fs::remove_file(file(&folder, number)).unwrap();
        }
    }
}

#[test]
fn a_crash_in_the_first_frame_leaves_an_empty_file() {
    for cut in [0, 1, 15, 16, 51] {
        let folder = folder_with(1);
        let whole = fs::read(file(&folder, 1)).unwrap();
        overwrite(&file(&folder, 1), &whole[..HEADER + cut]);
        let opened = open(folder.path());
        assert_eq!((opened.loss, opened.recovered.entries.len()), (None, 0), "{cut}");
        assert_eq!(opened.recovered.watermark, FIRST);
    }
}

#[test]
fn a_crash_while_a_file_is_begun_costs_nothing() {
    let folder = folder_with(4);
    drop(open(folder.path()));
    let (path, header) = (file(&folder, 2), fs::read(file(&folder, 2)).unwrap());
    for cut in 0..HEADER {
        for bytes in [header[..cut].to_vec(), vec![0; cut]] {
            overwrite(&path, &bytes);
            let opened = open(folder.path());
            assert_eq!((opened.loss, opened.recovered.entries.len()), (None, 4), "{cut}");
            assert_eq!(files(&folder).len(), 2);
        }
    }
}

#[test]
fn damage_raises_the_watermark_once() {
    for place in (0..HEADER + 3 * FRAME).step_by(5) {
        let folder = folder_with(4);
        let mut damaged = fs::read(file(&folder, 1)).unwrap();
        damaged[place] ^= 0x40;
        overwrite(&file(&folder, 1), &damaged);
        let opened = open(folder.path());
        assert_eq!(opened.loss, Some(Loss::Damaged(1)), "{place}");
        assert_eq!((opened.recovered.complete, opened.recovered.watermark), (false, LATER));
        drop(opened);
        // The watermark is on disk, and the damaged file is behind it and gone.
        let again = open_with(folder.path(), LATER + 100, Settings::default());
        assert_eq!((again.loss, again.recovered.watermark), (None, LATER), "{place}");
    }
}

#[test]
fn a_copy_from_a_backup_raises_the_watermark() {
    let folder = folder_with(4);
    let backup = fs::read(file(&folder, 1)).unwrap();
    let opened = open(folder.path());
    opened.log.append_and_wait(entry(4), 0).unwrap();
    drop(opened);
    // The folder is put back as it was when the backup was made. What it held is moved, not removed: a file system gives
    // the inode of a removed file to the next one.
    let aside = tempfile::tempdir_in(folder.path().parent().unwrap()).unwrap();
    for name in files(&folder) {
        fs::rename(folder.path().join(&name), aside.path().join(&name)).unwrap();
    }
    fs::write(file(&folder, 1), backup).unwrap();
    let opened = open(folder.path());
    assert_eq!((opened.loss, opened.recovered.complete), (Some(Loss::Copied(1)), false));
    assert_eq!(opened.recovered.watermark, LATER);
}

#[test]
fn an_image_that_was_put_back_raises_the_watermark_when_told() {
    let folder = folder_with(4);
    let settings = Settings { put_back: true, ..Settings::default() };
    let opened = open_with(folder.path(), LATER, settings);
    assert_eq!((opened.loss, opened.recovered.complete), (Some(Loss::PutBack), false));
    drop(opened);
    assert_eq!(open(folder.path()).recovered.watermark, LATER);
}

#[test]
fn entries_under_another_key_raise_the_watermark() {
    let folder = folder_with(4);
    let opened = NonceLog::open(folder.path(), 8, LATER, Settings::default()).unwrap();
    assert_eq!(opened.loss, Some(Loss::OtherKey(1)));
    assert_eq!((opened.recovered.entries.len(), opened.recovered.watermark), (0, LATER));
}

#[test]
fn a_missing_file_raises_the_watermark() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { file_bytes: 100, ..Settings::default() };
    let opened = open_with(folder.path(), FIRST, settings);
    for number in 0..10 {
        opened.log.append_and_wait(entry(100 + number), 0).unwrap();
    }
    drop(opened);
    assert!(files(&folder).len() >= 5);
    fs::remove_file(file(&folder, 3)).unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.loss, Some(Loss::Missing(3)));
}

#[test]
fn files_behind_the_watermark_are_removed_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { file_bytes: 500, ..Settings::default() };
    let opened = open_with(folder.path(), FIRST, settings);
    let mut most = 0;
    for number in 10..400 {
        let watermark = T0 + number - 70;
        opened.log.append_and_wait(entry(number), watermark).unwrap();
        most = most.max(files(&folder).len());
    }
    drop(opened);
    assert!(most <= 13, "{most} files");
    let opened = open_with(folder.path(), FIRST, settings);
    assert_eq!(opened.loss, None);
    let kept: Vec<Entry> = opened.recovered.entries;
    // All that the window may still have to refuse is there.
    for number in 330..400 {
        assert!(kept.contains(&entry(number)), "{number}");
    }
    let oldest = kept.iter().map(|entry| entry.second).min().unwrap();
    assert!(oldest > T0 + 300, "{}", oldest - T0);
    // And what is not is behind the watermark that came back.
    assert!(opened.recovered.watermark >= oldest - 1);
}

#[test]
fn two_processes_cannot_share_the_nonces() {
    let folder = folder_with(1);
    let opened = open(folder.path());
    let second = NonceLog::open(folder.path(), 7, LATER, Settings::default());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    drop(opened);
    assert_eq!(open(folder.path()).recovered.entries.len(), 1);
}

#[test]
fn entries_that_arrive_together_are_all_answered_and_all_kept() {
    let folder = folder_with(0);
    let opened = open(folder.path());
    let (done, answers) = mpsc::channel();
    for number in 0..10_000 {
        let done = done.clone();
        opened.log.append(entry(number), 0, move |result| done.send((number, result)).unwrap()).unwrap();
    }
    drop(done);
    let answers: Vec<(i64, Result<(), AppendError>)> = answers.iter().collect();
    assert_eq!(answers, (0..10_000).map(|number| (number, Ok(()))).collect::<Vec<_>>());
    drop(opened);
    assert_eq!(open(folder.path()).recovered.entries.len(), 10_000);
}

#[test]
fn more_than_may_wait_is_refused_and_not_dropped() {
    let folder = folder_with(0);
    let opened = open_with(folder.path(), LATER, Settings { queue: 1, ..Settings::default() });
    let (hold, held) = mpsc::sync_channel::<()>(0);
    // The writer waits in the first answer, one entry waits in the queue, and there is no room for a third.
    opened.log.append(entry(0), 0, move |_| assert!(held.recv().is_err())).unwrap();
    let mut number = 1;
    let refused = loop {
        match opened.log.append(entry(number), 0, |_| {}) {
            Ok(()) => number += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused, refused.code()), (AppendError::Busy, "server.nonces_must_be_written_in_time"));
    drop(hold);
    drop(opened);
    assert_eq!(open(folder.path()).recovered.entries.len() as i64, number);
}

#[test]
fn a_window_and_its_log_refuse_after_a_crash_what_was_accepted_before() {
    let limits = Limits::default();
    let key = FingerprintKey::new([5; 16]);
    let folder = tempfile::tempdir().unwrap();
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let start = |now: i64| {
        let opened =
            NonceLog::open(folder.path(), key.check(), limits.watermark_at(at(now)), Settings::default())
                .unwrap();
        (Window::restored(limits, &key, &opened.recovered, at(now)), opened.log)
    };
    let insert = |window: &mut Window, number: i64, created: i64, now: i64| {
        let nonce = u128::from(number.unsigned_abs()).to_be_bytes();
        window.insert(Presented { lineage: "k1", nonce: &nonce, created }, at(now))
    };
    let (mut window, mut log) = start(T0 - 100);
    for number in 0..50 {
        let created = T0 + number;
        let entry = insert(&mut window, number, created, created).unwrap();
        log.append_and_wait(entry, window.watermark()).unwrap();
        if number % 10 == 9 {
            drop(log);
            (window, log) = start(created);
            for used in 0..=number {
                let refused = insert(&mut window, used, T0 + used, created).unwrap_err();
                assert_eq!(refused.code(), "request.nonce_was_used");
            }
        }
    }
}
