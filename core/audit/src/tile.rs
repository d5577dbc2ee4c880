//! The tree as static files: hash tiles of height 8 and entry bundles (C2SP tlog-tiles).

use crate::error::AuditError;
use crate::hash::{HASH_BYTES, Hash};
use crate::proof::{HashReader, Node, subtree_root};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

/// Hashes or entries of a full tile.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree in one tile.
const TILE_HEIGHT: u8 = 8;
/// The highest level that a path may name.
const LEVEL_MAX: u8 = 63;
/// The longest path: a level of two digits, seven elements of an index, a width.
const PATH_BYTES_MAX: usize = 64;
/// Bytes of the length before an entry.
const LENGTH_BYTES: usize = 2;

/// What is in a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of the nodes of level 8 × this one; 0 to 63.
    Hashes(u8),
    /// The entries whose hashes are in the tile of level 0 of the same index.
    Entries,
}

/// A file of the log. Its text is its path, as `tile/0/x001/234` or `tile/entries/005.p/17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// A tile of 1 to 256 hashes or entries; 256 of them are a full tile.
    ///
    /// # Errors
    /// [`AuditError::TileMustBeNamed`] for another width, a level above 63, or an index that no tree can have.
    pub fn try_new(kind: TileKind, index: u64, width: u16) -> Result<Self, AuditError> {
        let level_fits = !matches!(kind, TileKind::Hashes(level) if level > LEVEL_MAX);
        let fits = level_fits && (1..=TILE_WIDTH).contains(&width) && index <= u64::MAX >> TILE_HEIGHT;
        if fits { Ok(Self { kind, index, width }) } else { Err(AuditError::TileMustBeNamed) }
    }

    /// The tile of this kind and index as it is in a tree of a size: full, partial, or not there.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        let nodes = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))?;
        let here = nodes.checked_sub(index.checked_mul(TILE_WIDTH.into())?)?;
        let width = u16::try_from(here.min(TILE_WIDTH.into())).ok()?;
        Self::try_new(kind, index, width).ok()
    }

    /// The hash tile in which a node is, or from which it can be hashed together, in a tree of a size.
    #[must_use]
    pub fn of_node(node: Node, size: u64) -> Option<Self> {
        let index = node.index.checked_shl((node.level % TILE_HEIGHT).into())? / u64::from(TILE_WIDTH);
        Self::in_tree(TileKind::Hashes(node.level / TILE_HEIGHT), index, size)
    }

    /// Hashes, of which level, or entries.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its place in the level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in it: 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// The nodes whose hashes are in a hash tile, or the leaves whose entries are in a bundle, from left to right.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        let level = match self.kind {
            TileKind::Hashes(level) => level.saturating_mul(TILE_HEIGHT),
            TileKind::Entries => 0,
        };
        let first = self.index.saturating_mul(TILE_WIDTH.into());
        (first..first.saturating_add(self.width.into())).map(move |index| Node { level, index })
    }

    /// The hashes of a tile, from its content.
    ///
    /// # Errors
    /// [`AuditError::TileMustFitItsWidth`].
    pub fn hashes(&self, content: &[u8]) -> Result<Vec<Hash>, AuditError> {
        let (hashes, rest) = content.as_chunks::<HASH_BYTES>();
        if hashes.len() != usize::from(self.width) || !rest.is_empty() {
            return Err(AuditError::TileMustFitItsWidth);
        }
        Ok(hashes.iter().copied().map(Hash::new).collect())
    }

    /// The entries of a bundle, from its content.
    ///
    /// # Errors
    /// [`AuditError::TileMustFitItsWidth`] if there are more or fewer, or if the last one is cut off.
    pub fn entries<'c>(&self, content: &'c [u8]) -> Result<Vec<&'c [u8]>, AuditError> {
        let mut entries = Vec::with_capacity(self.width.into());
        let mut rest = content;
        for _ in 0..self.width {
            let (length, behind) =
                rest.split_first_chunk::<LENGTH_BYTES>().ok_or(AuditError::TileMustFitItsWidth)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (entry, behind) = behind.split_at_checked(length).ok_or(AuditError::TileMustFitItsWidth)?;
            entries.push(entry);
            rest = behind;
        }
        if rest.is_empty() { Ok(entries) } else { Err(AuditError::TileMustFitItsWidth) }
    }
}

/// The content of a hash tile: the hashes one after the other.
#[must_use]
pub fn tile_content(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The content of an entry bundle: each entry behind its length, two bytes big-endian.
///
/// # Errors
/// [`AuditError::EntryMustFitBundle`].
pub fn bundle_content<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Result<Vec<u8>, AuditError> {
    let mut content = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| AuditError::EntryMustFitBundle)?;
        content.extend(length.to_be_bytes());
        content.extend(entry);
    }
    Ok(content)
}

/// The tiles and bundles that an append makes or makes wider: those which a tree of size `to` has and one of size `from`
/// does not have so. The partial ones among them are those at the right edge of `to`.
pub fn tiles_between(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    let kinds = (0..TILE_HEIGHT).map(TileKind::Hashes).chain([TileKind::Entries]);
    kinds.flat_map(move |kind| {
        let shift = match kind {
            TileKind::Hashes(level) => level.saturating_mul(TILE_HEIGHT),
            TileKind::Entries => 0,
        };
        let (before, after) = (from >> shift, to >> shift);
        let first = before / u64::from(TILE_WIDTH);
        let behind = if before < after { after.div_ceil(TILE_WIDTH.into()) } else { first };
        (first..behind).filter_map(move |index| Tile::in_tree(kind, index, to))
    })
}

/// Hashes from the tiles of a tree of a size, which a function fetches. Each tile is fetched once for a proof.
#[derive(Clone, Copy, Debug)]
pub struct TileReader<F> {
    /// The leaves of the tree, by its checkpoint.
    pub size: u64,
    /// Gives the content of a tile.
    pub fetch: F,
}

impl<E: From<AuditError>, F: Fn(&Tile) -> Result<Vec<u8>, E>> HashReader for TileReader<F> {
    type Error = E;

    fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, E> {
        let mut tiles: BTreeMap<Tile, Vec<Hash>> = BTreeMap::new();
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            let tile = Tile::of_node(*node, self.size).ok_or(AuditError::ReaderMustAnswerEachNode)?;
            let held = match tiles.entry(tile) {
                Entry::Occupied(held) => held.into_mut(),
                Entry::Vacant(place) => place.insert(tile.hashes(&(self.fetch)(&tile)?)?),
            };
            let hash = node_in_tile(*node, held);
            hashes.push(hash.ok_or(AuditError::ReaderMustAnswerEachNode)?);
        }
        Ok(hashes)
    }
}

fn node_in_tile(node: Node, tile: &[Hash]) -> Option<Hash> {
    let level = u32::from(node.level % TILE_HEIGHT);
    let first = node.index.checked_shl(level)? % u64::from(TILE_WIDTH);
    let first = usize::try_from(first).ok()?;
    subtree_root(tile.get(first..first.checked_add(1 << level)?)?)
}

impl fmt::Display for Tile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(formatter, "tile/{level}/")?,
            TileKind::Entries => formatter.write_str("tile/entries/")?,
        }
        let thousands = (1..=6).rev().map(|power| self.index / 1_000_u64.pow(power));
        for element in thousands.skip_while(|rest| *rest == 0) {
            write!(formatter, "x{:03}/", element % 1_000)?;
        }
        write!(formatter, "{:03}", self.index % 1_000)?;
        if self.width < TILE_WIDTH { write!(formatter, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = AuditError;

    /// Accepts exactly what `Display` writes.
    fn from_str(path: &str) -> Result<Self, AuditError> {
        let tile = if path.len() <= PATH_BYTES_MAX { parse_path(path) } else { None };
        tile.filter(|tile| tile.to_string() == path).ok_or(AuditError::TileMustBeNamed)
    }
}

/// Reads more than is right, which its caller finds by writing it again.
fn parse_path(path: &str) -> Option<Tile> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes(level.parse().ok()?),
    };
    let (elements, width) = match rest.split_once(".p/") {
        Some((elements, width)) => (elements, width.parse().ok()?),
        None => (rest, TILE_WIDTH),
    };
    let index = elements.split('/').try_fold(0_u64, |index, element| {
        let digits: u64 = element.strip_prefix('x').unwrap_or(element).parse().ok()?;
        index.checked_mul(1_000)?.checked_add(digits)
    })?;
    Tile::try_new(kind, index, width).ok()
}
