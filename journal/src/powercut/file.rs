//! One file of a power-cut disk: as programs see it, and as the platters hold it.

use super::random::Random;
use std::collections::BTreeMap;

pub(super) const SECTOR_BYTES: usize = 512;

type Sector = [u8; SECTOR_BYTES];

/// One file: as programs see it, and as the platters hold it.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// What each sector has been since the last sync, oldest first.
    pub(super) versions: BTreeMap<usize, Vec<Sector>>,
    /// Whether the name is durable.
    pub(super) named: bool,
}

impl File {
    pub(super) fn note(&mut self, from: usize, to: usize) {
        for sector in from / SECTOR_BYTES..to.div_ceil(SECTOR_BYTES) {
            let content = sector_of(&self.live, sector);
            self.versions.entry(sector).or_default().push(content);
        }
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for sector in std::mem::take(&mut self.versions).into_keys() {
            let (from, to) = span(sector, self.live.len());
            if from < to {
                self.durable[from..to].copy_from_slice(&self.live[from..to]);
            }
        }
        self.named = true;
    }

    /// What is found after the power came back.
    pub(super) fn survivor(&self, torn: Option<(usize, usize)>, random: &mut Random) -> Self {
        let mut found = self.durable.clone();
        let mood = Mood::draw(random);
        let mut end = found.len();
        for (sector, versions) in &self.versions {
            let last_is_torn = torn.is_some_and(|(torn, _)| torn == *sector);
            if !(last_is_torn || mood.keeps(random)) {
                continue;
            }
            let mut content = versions[random.below(versions.len())];
            if let Some((_, cut)) = torn.filter(|_| last_is_torn) {
                let before = versions
                    .len()
                    .checked_sub(2)
                    .map_or_else(|| sector_of(&self.durable, *sector), |at| versions[at]);
                content = versions[versions.len() - 1];
                content[cut..].copy_from_slice(&before[cut..]);
            }
            let from = sector * SECTOR_BYTES;
            found.resize(found.len().max(from + SECTOR_BYTES), 0);
            found[from..from + SECTOR_BYTES].copy_from_slice(&content);
            end = end.max((from + SECTOR_BYTES).min(self.live.len().max(self.durable.len())));
        }
        // The length is written by itself: a file that shrank may have either length.
        if self.live.len() < self.durable.len() && random.below(2) == 0 {
            end = self.live.len();
        }
        found.truncate(end);
        Self { live: found.clone(), durable: found, versions: BTreeMap::new(), named: true }
    }
}

/// How much of what was unsynced one file keeps: the extremes are as likely as the middle.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Nothing,
    Everything,
    Sixteenths(usize),
}

impl Mood {
    fn draw(random: &mut Random) -> Self {
        match random.below(6) {
            0 => Self::Nothing,
            1 => Self::Everything,
            _ => Self::Sixteenths(1 + random.below(15)),
        }
    }

    fn keeps(self, random: &mut Random) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Sixteenths(part) => random.below(16) < part,
        }
    }
}

/// The bytes of a sector that a file of `length` has.
fn span(sector: usize, length: usize) -> (usize, usize) {
    let from = sector * SECTOR_BYTES;
    (from, (from + SECTOR_BYTES).min(length))
}

fn sector_of(bytes: &[u8], sector: usize) -> Sector {
    let (from, to) = span(sector, bytes.len());
    let mut content = [0; SECTOR_BYTES];
    if from < to {
        content[..to - from].copy_from_slice(&bytes[from..to]);
    }
    content
}
