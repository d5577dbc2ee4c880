//! The tree as files.

use crate::common::{leaves, root_by_definition, tree};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_audit::{
    AuditError, Hash, HashReader as _, Leaves, Node, Tile, TileKind, TileReader, Tree, bundle_content,
    prove_consistency, prove_inclusion, tile_content, tiles_between,
};

fn tile(path: &str) -> Tile {
    path.parse().unwrap()
}

#[test]
fn paths_are_those_of_the_specification() {
    for (path, kind, index, width) in [
        ("tile/0/000", TileKind::Hashes(0), 0, 256),
        ("tile/0/x001/x234/067", TileKind::Hashes(0), 1_234_067, 256),
        ("tile/63/999.p/1", TileKind::Hashes(63), 999, 1),
        ("tile/1/x001/000.p/255", TileKind::Hashes(1), 1_000, 255),
        ("tile/entries/x273/000.p/112", TileKind::Entries, 273_000, 112),
        ("tile/7/x072/x057/x594/x037/x927/935", TileKind::Hashes(7), u64::MAX >> 8, 256),
    ] {
        let named = Tile::try_new(kind, index, width).unwrap();
        assert_eq!(named.to_string(), path);
        assert_eq!(tile(path), named);
    }
}

#[test]
fn another_spelling_of_a_path_names_nothing() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x1/002",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/+01",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/+1",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/000 ",
        "tile/0/x072/x057/x594/x037/x927/936",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/256/000",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/001",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(AuditError::TileMustBeNamed), "{path}");
    }
}

#[test]
fn a_tree_of_70000_has_the_tiles_of_the_specification() {
    let mut widths: BTreeMap<(TileKind, u16), usize> = BTreeMap::new();
    for tile in tiles_between(0, 70_000) {
        *widths.entry((tile.kind(), tile.width())).or_default() += 1;
    }
    let expected = [
        ((TileKind::Hashes(0), 112), 1),
        ((TileKind::Hashes(0), 256), 273),
        ((TileKind::Hashes(1), 17), 1),
        ((TileKind::Hashes(1), 256), 1),
        ((TileKind::Hashes(2), 1), 1),
        ((TileKind::Entries, 112), 1),
        ((TileKind::Entries, 256), 273),
    ];
    assert_eq!(widths, BTreeMap::from(expected));
    let of_256: Vec<_> = tiles_between(0, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(of_256, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    let one_more: Vec<_> = tiles_between(256, 257).map(|tile| tile.to_string()).collect();
    assert_eq!(one_more, ["tile/0/001.p/1", "tile/entries/001.p/1"]);
}

#[test]
fn nothing_is_written_where_nothing_was_appended() {
    for size in [0, 1, 255, 256, 257, 65_536, u64::MAX] {
        assert_eq!(tiles_between(size, size).count(), 0, "{size}");
        assert_eq!(tiles_between(size, size / 2).count(), 0, "{size}");
    }
    assert_eq!(tiles_between((1 << 63) - 2, (1 << 63) - 1).count(), 2);
}

/// The files of a log that grows by appends of the given lengths.
fn files(all: &[Hash], appends: &[u64]) -> (BTreeMap<String, Vec<u8>>, u64) {
    let (mut files, mut size) = (BTreeMap::new(), 0);
    for append in appends {
        let to = size + append;
        let here = Leaves(&all[..usize::try_from(to).unwrap()]);
        for tile in tiles_between(size, to).filter(|tile| tile.kind() != TileKind::Entries) {
            let nodes: Vec<Node> = tile.nodes().collect();
            files.insert(tile.to_string(), tile_content(&here.hashes(&nodes).unwrap()));
        }
        size = to;
    }
    (files, size)
}

#[test]
fn a_tile_with_a_byte_too_many_or_too_few_is_none() {
    let tile = tile("tile/0/000.p/2");
    let content = tile_content(&leaves(2));
    assert_eq!(tile.hashes(&content).unwrap(), leaves(2));
    for length in [0, 32, 63, 65, 96] {
        let mut wrong = content.clone();
        wrong.resize(length, 0);
        assert_eq!(tile.hashes(&wrong), Err(AuditError::TileMustFitItsWidth), "{length}");
    }
    let bundle = self::tile("tile/entries/000.p/2");
    let content = bundle_content([&b"one"[..], b""]).unwrap();
    assert_eq!(content, b"\0\x03one\0\0");
    assert_eq!(bundle.entries(&content).unwrap(), [&b"one"[..], b""]);
    for length in [0, 1, 2, 4, 5, 6, 8] {
        let mut wrong = content.clone();
        wrong.resize(length, 0);
        assert_eq!(bundle.entries(&wrong), Err(AuditError::TileMustFitItsWidth), "{length}");
    }
    assert!(bundle_content([vec![7; 65_535]]).is_ok());
    assert_eq!(bundle_content([vec![7; 65_536]]), Err(AuditError::EntryMustFitBundle));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn proofs_from_tiles_are_those_from_leaves(
        appends in prop::collection::vec(1_u64..900, 1..6), at in any::<prop::sample::Index>(),
    ) {
        let all = leaves(appends.iter().sum());
        let (files, size) = files(&all, &appends);
        let fetched = RefCell::new(BTreeSet::new());
        let fetch = |tile: &Tile| {
            let once = fetched.borrow_mut().insert(tile.to_string());
            assert!(once, "{tile} was fetched twice");
            files.get(&tile.to_string()).cloned().ok_or(AuditError::TileMustBeNamed)
        };
        let reader = TileReader { size, fetch };
        let index = at.index(all.len()) as u64;
        prop_assert_eq!(prove_inclusion(index, size, &reader), prove_inclusion(index, size, &Leaves(&all)));
        fetched.borrow_mut().clear();
        prop_assert_eq!(
            prove_consistency(index + 1, size, &reader),
            prove_consistency(index + 1, size, &Leaves(&all))
        );
        fetched.borrow_mut().clear();
        let read = Tree::read(size, &reader).unwrap();
        prop_assert_eq!(read.root(), root_by_definition(&all));
        prop_assert_eq!(read, tree(&all));
    }

    #[test]
    fn a_tile_is_found_again_by_its_path(level in 0_u8..64, index in 0..=u64::MAX >> 8, width in 1_u16..=256) {
        for kind in [TileKind::Hashes(level), TileKind::Entries] {
            let tile = Tile::try_new(kind, index, width).unwrap();
            prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        }
    }

    #[test]
    fn a_bundle_gives_its_entries_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..=256)) {
        let content = bundle_content(&entries).unwrap();
        let tile = Tile::try_new(TileKind::Entries, 0, u16::try_from(entries.len()).unwrap()).unwrap();
        prop_assert_eq!(tile.entries(&content).unwrap(), entries);
    }
}
