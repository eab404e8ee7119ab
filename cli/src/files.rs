//! Reading the files that a command names.

use std::path::Path;

use crate::answer::Failure;

/// Reads a file of at most `bytes_max` bytes.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let refuse = |why: std::io::Error| {
        let what = match why.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::IsADirectory => "this is a folder, not a file".to_owned(),
            _ => why.to_string(),
        };
        Failure::new(format!("{}: {what}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(refuse)?.len();
    if size > bytes_max {
        return Err(Failure::new(format!("{}: {size} bytes, at most {bytes_max} are read", path.display())));
    }
    std::fs::read(path).map_err(refuse)
}

/// Reads a text file of at most `bytes_max` bytes.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    String::from_utf8(read(path, bytes_max)?)
        .map_err(|_| Failure::new(format!("{}: this is not text in UTF-8", path.display())))
}
