//! Lists the format files of `data/` so that a new format is a new file and no code.
//!
//! Writes `embedded.rs`: one `(file name, text)` pair a file, in order of name.
#![allow(clippy::disallowed_methods, reason = "a build script reads the folder it embeds")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the package folder");
    let out = env::var("OUT_DIR").expect("cargo names the output folder");
    let data = Path::new(&root).join("data");
    println!("cargo::rerun-if-changed=data");

    let mut files: Vec<_> = fs::read_dir(&data)
        .expect("the folder `data` lies beside build.rs")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();

    let mut list = String::from("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("file names are ASCII");
        let place = path.to_str().expect("the path is UTF-8");
        writeln!(list, "    ({name:?}, include_str!({place:?})),").expect("a String takes all");
    }
    list.push_str("];\n");
    fs::write(Path::new(&out).join("embedded.rs"), list).expect("the output folder is writable");
}
