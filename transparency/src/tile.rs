//! Tiles: the tree cut into files of at most 256 hashes that never change once full.
//!
//! Tile `n` of level `l` holds the nodes of tree level `8 l` from `256 n` on; the seven levels between
//! are hashed again when needed. Exports and mirrors carry tiles, so that any proof can be built from
//! plain files. Source: C2SP tlog-tiles, Merkle Tree and Partial Tiles.

use std::collections::BTreeMap;

use crate::Hash;
use crate::tree::{LEVEL_MAX, SIZE_MAX, Tree, node_hash};

/// How many hashes or entries a full tile or bundle holds.
pub const TILE_WIDTH: u16 = 256;

/// How many tree levels one tile spans.
pub const TILE_HEIGHT: u8 = 8;

const _: () = assert!(1 << TILE_HEIGHT == TILE_WIDTH as u32);
const _: () = assert!(LEVEL_MAX.is_multiple_of(TILE_HEIGHT));

/// Where a tile stands and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

/// A path or a set of numbers names no tile of a tree of at most [`SIZE_MAX`] leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileIdError;

impl core::fmt::Display for TileIdError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("this names no tile")
    }
}

impl core::error::Error for TileIdError {}

impl TileId {
    /// Names a tile of `width` hashes, 1 to [`TILE_WIDTH`].
    ///
    /// # Errors
    /// [`TileIdError`] if no tree of at most [`SIZE_MAX`] leaves has it.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, TileIdError> {
        let fits = (1..=TILE_WIDTH).contains(&width) && level <= LEVEL_MAX / TILE_HEIGHT;
        let end =
            index.checked_mul(u64::from(TILE_WIDTH)).and_then(|start| start.checked_add(u64::from(width)));
        if !fits || end.is_none_or(|end| end > SIZE_MAX >> (level * TILE_HEIGHT)) {
            return Err(TileIdError);
        }
        Ok(Self { level, index, width })
    }

    /// Its level: 0 holds leaf hashes.
    #[must_use]
    pub fn level(self) -> u8 {
        self.level
    }

    /// Its place within the level, from 0.
    #[must_use]
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many hashes it holds.
    #[must_use]
    pub fn width(self) -> u16 {
        self.width
    }

    /// Its path: `tile/1/x001/x234/067.p/8`.
    #[must_use]
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// The path of the bundle with the entries of a level-0 tile: `tile/entries/x001/x234/067`;
    /// `None` for other levels.
    #[must_use]
    pub fn entries_path(self) -> Option<String> {
        (self.level == 0).then(|| format!("tile/entries/{}", self.place()))
    }

    fn place(self) -> String {
        let mut place = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1000);
            rest /= 1000;
        }
        if self.width < TILE_WIDTH {
            place.push_str(&format!(".p/{}", self.width));
        }
        place
    }

    /// Reads a path that [`TileId::path`] writes.
    ///
    /// # Errors
    /// [`TileIdError`] for any other text.
    pub fn parse(path: &str) -> Result<Self, TileIdError> {
        let (level, place) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(TileIdError)?;
        let (place, width) = match place.split_once(".p/") {
            Some((place, width)) => (place, width.parse().map_err(|_| TileIdError)?),
            None => (place, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for part in place.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            let number: u64 = digits.parse().map_err(|_| TileIdError)?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(number)).ok_or(TileIdError)?;
        }
        let tile = Self::new(level.parse().map_err(|_| TileIdError)?, index, width)?;
        // One tile, one path: signs, leading zeros and missing marks come out differently.
        if tile.path() == path { Ok(tile) } else { Err(TileIdError) }
    }

    /// The bytes of this tile, `width` hashes of 32 bytes, if the tree holds them all.
    #[must_use]
    pub fn data(self, tree: &impl Tree) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::from(self.width) * 32);
        let first = self.index * u64::from(TILE_WIDTH);
        for index in first..first + u64::from(self.width) {
            bytes.extend_from_slice(&tree.node(self.level * TILE_HEIGHT, index)?.0);
        }
        Some(bytes)
    }
}

/// The tiles of a tree that grew from `old` to `new` leaves which were not there before, or not as
/// wide: from level 0 up. With `old` 0, all tiles of the tree. Sizes above [`SIZE_MAX`] have none.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = TileId> {
    let levels = if new > SIZE_MAX { 0 } else { LEVEL_MAX / TILE_HEIGHT + 1 };
    (0..levels).flat_map(move |level| {
        let (old, new) = (old >> (level * TILE_HEIGHT), new >> (level * TILE_HEIGHT));
        let width = u64::from(TILE_WIDTH);
        let first = if old < new { old / width } else { u64::MAX };
        (first..new.div_ceil(width)).map(move |index| {
            let width = (new - index * width).min(width) as u16;
            TileId { level, index, width }
        })
    })
}

/// Tiles held in memory, read as a tree.
#[derive(Clone, Debug, Default)]
pub struct Tiles {
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
}

/// A tile's bytes are not `width` hashes of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileLengthError(pub TileId);

impl core::fmt::Display for TileLengthError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} has not 32 bytes for each of its hashes", self.0.path())
    }
}

impl core::error::Error for TileLengthError {}

impl Tiles {
    /// Takes a tile in. A narrower tile never replaces a wider one at its place.
    ///
    /// # Errors
    /// [`TileLengthError`] if `data` has not exactly 32 bytes for each hash.
    pub fn insert(&mut self, id: TileId, data: &[u8]) -> Result<(), TileLengthError> {
        let (hashes, rest) = data.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != usize::from(id.width) {
            return Err(TileLengthError(id));
        }
        let held = self.tiles.entry((id.level, id.index)).or_default();
        if held.len() < hashes.len() {
            *held = hashes.iter().map(|bytes| Hash(*bytes)).collect();
        }
        Ok(())
    }
}

impl Tree for Tiles {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let height = level % TILE_HEIGHT;
        let first = index.checked_mul(1 << height)?;
        let tile = self.tiles.get(&(level / TILE_HEIGHT, first / u64::from(TILE_WIDTH)))?;
        let start = (first % u64::from(TILE_WIDTH)) as usize;
        let mut row = tile.get(start..start + (1 << height))?.to_vec();
        while row.len() > 1 {
            row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        row.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{MemoryTree, leaf_hash, root};
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        for (level, index, width, path) in [
            (0, 0, 256, "tile/0/000"),
            (0, 1_234_067, 256, "tile/0/x001/x234/067"),
            (1, 1_067, 17, "tile/1/x001/067.p/17"),
            (2, 999, 255, "tile/2/999.p/255"),
        ] {
            let tile = TileId::new(level, index, width).unwrap();
            assert_eq!(tile.path(), path);
            assert_eq!(TileId::parse(path), Ok(tile));
        }
        assert_eq!(TileId::new(0, 1000, 1).unwrap().entries_path().unwrap(), "tile/entries/x001/000.p/1");
        assert_eq!(TileId::new(1, 1, 1).unwrap().entries_path(), None);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for path in [
            "tile/0/0",
            "tile/00/000",
            "tile/+0/000",
            "tile/0/1000",
            "tile/0/001/000",
            "tile/0/x000/001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/x001",
            "tile/0/",
            "tile/6/000",
            "tile/0/000/",
            "/tile/0/000",
            "tile/0/x999/x999/x999/x999/999",
            "tile/5/000.p/2",
            "tile/0/-01",
            "tile/0/00é",
        ] {
            assert_eq!(TileId::parse(path), Err(TileIdError), "{path}");
        }
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
        let count = |level, width: fn(u16) -> bool| {
            new_tiles(0, 70_000).filter(|tile| tile.level == level && width(tile.width)).count()
        };
        assert_eq!(count(0, |width| width == 256), 273);
        assert_eq!(count(0, |width| width == 112), 1);
        assert_eq!(count(1, |width| width == 256), 1);
        assert_eq!(count(1, |width| width == 17), 1);
        assert_eq!(count(2, |width| width == 1), 1);
        assert_eq!(new_tiles(0, 70_000).count(), 277);
        assert_eq!(new_tiles(0, 256).map(TileId::path).collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(new_tiles(0, 0).count() + new_tiles(5, 5).count() + new_tiles(0, u64::MAX).count(), 0);
    }

    #[test]
    fn only_full_tiles_and_whole_hashes_are_taken() {
        let mut tiles = Tiles::default();
        let tile = TileId::new(0, 0, 2).unwrap();
        assert_eq!(tiles.insert(tile, &[1; 63]), Err(TileLengthError(tile)));
        assert_eq!(tiles.insert(tile, &[1; 96]), Err(TileLengthError(tile)));
        tiles.insert(tile, &[1; 64]).unwrap();
        tiles.insert(TileId::new(0, 0, 1).unwrap(), &[2; 32]).unwrap();
        assert_eq!(tiles.node(0, 1), Some(Hash([1; 32])));
        assert_eq!(tiles.node(0, u64::MAX), None);
        assert_eq!(tiles.node(7, u64::MAX), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn tiles_written_as_the_tree_grows_hold_the_whole_tree(steps in prop::collection::vec(1u64..900, 1..6)) {
            let mut tree = MemoryTree::default();
            let mut tiles = Tiles::default();
            for step in steps {
                let old = tree.size();
                (old..old + step).for_each(|n| tree.append(leaf_hash(&n.to_be_bytes())));
                for tile in new_tiles(old, tree.size()) {
                    tiles.insert(tile, &tile.data(&tree).unwrap()).unwrap();
                }
                prop_assert_eq!(root(&tiles, tree.size()), Ok(tree.root()));
                prop_assert!(root(&tiles, tree.size() + 1).is_err());
            }
        }
    }
}
