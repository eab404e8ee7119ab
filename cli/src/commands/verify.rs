//! `detente verify`: the check of an export, offline.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use detente_crypto::SUITE_1;
use detente_protocol::export::Files;
use detente_protocol::verify::{Anchor, Verdict, verify};

use crate::answer::{Done, Failure, Style, print};
use crate::args::VerifyArgs;

/// The files of an export in a folder.
pub(crate) struct Folder {
    root: PathBuf,
    paths: Vec<String>,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        let refuse = |path: &Path, why: std::io::Error| match why.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::new(format!("{}: there is no such folder", path.display()))
            }
            std::io::ErrorKind::NotADirectory => {
                Failure::new(format!("{}: this is a file; name the folder of an export", path.display()))
            }
            _ => Failure::new(format!("{}: {why}", path.display())),
        };
        let mut paths = Vec::new();
        let mut folders = vec![(root.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|why| refuse(&folder, why))? {
                let entry = entry.map_err(|why| refuse(&folder, why))?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                // Links are not followed: an export has none, and one could lead anywhere.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push((entry.path(), format!("{name}/")));
                } else {
                    paths.push(name);
                }
            }
        }
        Ok(Self { root: root.to_path_buf(), paths })
    }
}

impl Files for Folder {
    fn list(&self) -> Vec<String> {
        self.paths.clone()
    }

    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        let file = self.root.join(path);
        std::fs::symlink_metadata(&file).ok().filter(|kind| kind.is_file())?;
        std::fs::read(file).ok().map(Cow::Owned)
    }
}

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs, style: Style) -> Result<Done, Failure> {
    for (code, words) in &args.parties {
        detente_encoding::words::parse(words)
            .map_err(|why| Failure::new(format!("--party {code}: {why}")))?;
    }
    let folder = Folder::open(&args.out)?;
    let anchors: Vec<Anchor<'_>> = args.parties.iter().map(|(code, words)| Anchor { code, words }).collect();
    let report = verify(&folder, &anchors, SUITE_1);
    if style.json {
        print(report.to_json());
    } else {
        print(report.to_string().trim_end());
    }
    match report.verdict {
        Verdict::Valid | Verdict::ConsistentOnly => Ok(Done::Done),
        Verdict::Forged => Ok(Done::Found),
    }
}
