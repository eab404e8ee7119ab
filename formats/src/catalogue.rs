//! The formats a node holds, by code and by number.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::format::{ContentKind, Format, FormatError};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue::from_files(FILES.iter().copied()).expect("a test reads every embedded format file")
});

/// Formats in all their editions.
#[derive(Debug, Default)]
pub struct Catalogue {
    formats: BTreeMap<(u16, u16), Arc<Format>>,
    newest: BTreeMap<String, Arc<Format>>,
}

impl Catalogue {
    /// The formats that come with this version; read once.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads format files, given as name and text.
    ///
    /// # Errors
    /// A [`FormatError`] for the first file that is refused, or that takes a number or code already
    /// taken.
    pub fn from_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FormatError> {
        let mut catalogue = Self::default();
        for (file, text) in files {
            catalogue.add(file, Format::parse(file, text)?)?;
        }
        Ok(catalogue)
    }

    fn add(&mut self, file: &str, format: Format) -> Result<(), FormatError> {
        let refuse = |key: &str, problem: String| {
            Err(FormatError { file: file.to_owned(), key: key.to_owned(), problem })
        };
        let taken = self.formats.values().find(|known| known.number == format.number);
        if let Some(known) = taken.filter(|known| known.code != format.code) {
            return refuse("number", format!("{} is taken by {}", format.number, known.code));
        }
        if let Some(known) = self.newest.get(&format.code)
            && known.number != format.number
        {
            return refuse("number", format!("must be {}, as in the other edition", known.number));
        }
        let format = Arc::new(format);
        if self.formats.insert((format.number, format.edition), format.clone()).is_some() {
            return refuse("edition", format!("{} of {} is there twice", format.edition, format.code));
        }
        let newest = self.newest.entry(format.code.clone()).or_insert_with(|| format.clone());
        if newest.edition < format.edition {
            *newest = format;
        }
        Ok(())
    }

    /// The newest edition of a format.
    #[must_use]
    pub fn format(&self, code: &str) -> Option<&Arc<Format>> {
        self.newest.get(code)
    }

    /// A format as charters name it: `US-RU.BMLN/1`, or without edition the newest.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Format>> {
        let Some((code, edition)) = name.split_once('/') else { return self.format(name) };
        let edition = edition.parse().ok()?;
        self.edition(self.format(code)?.number, edition)
    }

    /// The newest edition of a format, by its number on the wire.
    #[must_use]
    pub fn by_number(&self, number: u16) -> Option<&Arc<Format>> {
        self.formats.range((number, 0)..=(number, u16::MAX)).next_back().map(|(_, format)| format)
    }

    /// One edition of a format.
    #[must_use]
    pub fn edition(&self, number: u16, edition: u16) -> Option<&Arc<Format>> {
        self.formats.get(&(number, edition))
    }

    /// The format of a dialogue or declaration.
    #[must_use]
    pub fn reserved(&self, kind: ContentKind) -> Option<&Arc<Format>> {
        self.newest.values().find(|format| format.kind == kind && kind != ContentKind::Notification)
    }

    /// Newest editions of all notifications, in order of code.
    pub fn notifications(&self) -> impl Iterator<Item = &Arc<Format>> {
        self.newest.values().filter(|format| format.kind == ContentKind::Notification)
    }

    /// Codes of all notifications, in order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.notifications().map(|format| format.code.as_str())
    }

    /// Every format in every edition, by number.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Format>> {
        self.formats.values()
    }
}
