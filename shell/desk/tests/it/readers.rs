//! Reading and copying while somebody else writes.

use std::sync::atomic::{AtomicBool, Ordering};

use strongroom_desk::{Desk, DeskService, SCHEMA};
use strongroom_store::{Location, restore_from};

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    a_read_only_desk_sees_what_a_writer_has_committed,
    a_read_only_desk_changes_nothing,
    a_backup_made_while_others_write_is_a_prefix_of_the_log,
);

fn a_read_only_desk_sees_what_a_writer_has_committed(home: &Home) {
    let mut writer = with_fund(home.open());
    let mut reader = Desk::open_read_only(&home.location()).unwrap();
    for index in 0..20 {
        assert_eq!(state_of(&mut reader), state_of(&mut writer));
        assert_eq!(tell(&mut writer, &[submit(&format!("a-{index}"))]), ["done"]);
    }
    assert_eq!(reader.last_seen(btcx()).unwrap().orders().count(), 19, "it looks only when it is asked");
    assert_eq!(reader.fund(btcx()).unwrap().unwrap().orders().count(), 20);
    assert_eq!(reader.records(btcx()), 21);
}

fn a_read_only_desk_changes_nothing(home: &Home) {
    drop(with_fund(home.open()));
    let mut reader = Desk::open_read_only(&home.location()).unwrap();
    let before = state_of(&mut reader);
    assert_eq!(reader.submit(&[submit("a")]).unwrap_err().code(), "store.must_be_open_for_writing");
    assert_eq!(state_of(&mut reader), before);
    assert_eq!(judge::check(home).len(), 1);
}

fn a_backup_made_while_others_write_is_a_prefix_of_the_log(home: &Home) {
    let service = DeskService::start(with_fund(home.open()));
    let is_over = AtomicBool::new(false);
    let heads = std::thread::scope(|scope| {
        for name in ["first", "second"] {
            let (handle, is_over) = (service.handle(), &is_over);
            scope.spawn(move || {
                for index in (0..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                    handle.command(submit(&format!("{name}-{index}"))).unwrap();
                }
            });
        }
        let mut copier = Desk::open_read_only(&home.location()).unwrap();
        let copies =
            (0..4).map(|copy| copier.back_up(&home.file(&format!("copy-{copy}.db"))).unwrap().records);
        let heads: Vec<u64> = copies.collect();
        is_over.store(true, Ordering::Relaxed);
        heads
    });
    drop(service);
    let records = judge::check(home);
    for (copy, head) in (0..).zip(heads) {
        let restored = Home::sqlite();
        restore_from(&home.file(&format!("copy-{copy}.db")), &restored.location(), &SCHEMA).unwrap();
        let held = judge::check(&restored);
        assert_eq!(held, records[..usize::try_from(head).unwrap()]);
    }
}

#[test]
fn a_missing_file_is_not_made_by_reading_it() {
    let home = Home::sqlite();
    assert!(Desk::open_read_only(&Location::Sqlite(home.file("nowhere.db"))).is_err());
    assert!(!home.file("nowhere.db").exists());
}
