//! Tokens of programs: made once, shown once, kept as hashes in the folder's file `tokens`.
//!
//! A token says what a program may ask; it is never enough for a release, which takes the signatures
//! of persons. Removing a line of the file ends a token within a second.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use detente_crypto::sha256;
use detente_encoding::text::{base32, hex};

use crate::folder::{Folder, FolderError, secrets};

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a token allows. Later ones include earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading.
    Read,
    /// Handing in what officers have released.
    Send,
    /// Everything but releasing: whoever reaches the control socket.
    Operator,
}

impl Scope {
    /// Reads the word of a token's scope.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::Read),
            "send" => Some(Self::Send),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Operator => "operator",
        }
    }
}

fn file(folder: &Folder) -> PathBuf {
    folder.path().join("tokens")
}

/// Makes a token of this scope and adds its hash to the folder. The token is answered once.
///
/// # Errors
/// [`FolderError`]; no token was made.
pub fn make(folder: &Folder, scope: Scope) -> Result<String, FolderError> {
    let token = format!("detente-{}", base32(&secrets::random::<32>()?));
    let path = file(folder);
    let mut lines = match std::fs::read_to_string(&path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(FolderError::EnvironmentFile(path, error)),
    };
    lines.push_str(&format!("{} {}\n", hash(&token), scope.word()));
    secrets::write_private(&path, lines.as_bytes())?;
    Ok(token)
}

fn hash(token: &str) -> String {
    hex(&sha256(&[token.as_bytes()]).0)
}

/// The tokens of a folder as a running node knows them.
#[derive(Debug)]
pub(crate) struct Tokens {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    looked: Option<Instant>,
    modified: Option<SystemTime>,
    scopes: BTreeMap<String, Scope>,
}

impl Tokens {
    pub(crate) fn of(folder: &Folder) -> Self {
        Self { path: file(folder), known: Mutex::new(Known::default()) }
    }

    /// What this token allows. Looked up by its hash, so that time says nothing about it.
    pub(crate) fn scope(&self, token: &str) -> Option<Scope> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            known.look(&self.path);
        }
        known.scopes.get(&hash(token)).copied()
    }
}

impl Known {
    fn look(&mut self, path: &std::path::Path) {
        self.looked = Some(Instant::now());
        let modified = std::fs::metadata(path).and_then(|file| file.modified()).ok();
        if modified == self.modified && modified.is_some() {
            return;
        }
        self.modified = modified;
        let lines = std::fs::read_to_string(path).unwrap_or_default();
        let line = |line: &str| {
            let (hash, scope) = line.split_once(' ')?;
            Some((hash.to_owned(), Scope::from_word(scope.trim())?))
        };
        self.scopes = lines.lines().filter_map(line).collect();
    }
}
