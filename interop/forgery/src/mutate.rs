//! A forger that knows only files: paths, bytes, lengths before leaves, lines of notes.

use detente_crypto::Hash;
use detente_protocol::export::{Files, MemoryFiles, NOTE};
use detente_transparency::{leaf_hash, leaves, write_leaf};

use crate::dice::Dice;

/// What was done, for people; `None` when this export has nothing to do it to.
pub(crate) fn mutate(files: &mut MemoryFiles, kind: usize, dice: &mut Dice) -> Option<String> {
    match kind % KINDS {
        0 => change_byte(files, dice),
        1 => swap_entries(files, dice),
        2 => leave_out(files, dice),
        3 => replace_signature(files, dice),
        4 => invent_root(files, dice),
        _ => change_files(files, dice),
    }
}

/// Five kinds that the acceptance names, and files that are cut, taken away or added.
pub(crate) const KINDS: usize = 6;

fn some(files: &MemoryFiles, dice: &mut Dice, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let paths: Vec<String> = files.list().into_iter().filter(|path| wanted(path)).collect();
    (!paths.is_empty()).then(|| dice.pick(&paths).clone())
}

fn change_byte(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    let path = some(files, dice, |path| path != NOTE)?;
    let bytes = files.files.get_mut(&path).filter(|bytes| !bytes.is_empty())?;
    // The first bytes of a file hold what frames the rest: half of the changes go there.
    let end = if dice.one_in(2) { bytes.len() } else { bytes.len().min(96) };
    let at = dice.below(end);
    let by = 1 + dice.below(255) as u8;
    bytes[at] ^= by;
    Some(format!("byte {at} of {path} changed by {by:#04x}"))
}

/// Leaf data of one log, and the folder of the log.
fn a_log(files: &MemoryFiles, dice: &mut Dice) -> Option<(String, Vec<Vec<u8>>)> {
    let path = some(files, dice, |path| path.ends_with("/entries"))?;
    let data: Option<Vec<Vec<u8>>> =
        leaves(&files.files[&path]).map(|leaf| leaf.ok().map(<[u8]>::to_vec)).collect();
    Some((path.trim_end_matches("entries").to_owned(), data?))
}

/// Writes a log anew; with `hashed`, the hashes of its leaves too, so that only signatures tell.
fn rewrite(files: &mut MemoryFiles, folder: &str, data: &[Vec<u8>], hashed: bool) -> Option<()> {
    let mut entries = Vec::new();
    for leaf in data {
        write_leaf(leaf, &mut entries).ok()?;
    }
    files.files.insert(format!("{folder}entries"), entries);
    if hashed {
        let hashes = data.iter().flat_map(|data| leaf_hash(data).0).collect();
        files.files.insert(format!("{folder}leaves"), hashes);
    }
    Some(())
}

fn swap_entries(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    let (folder, mut data) = a_log(files, dice)?;
    if data.len() < 2 {
        return None;
    }
    let (one, other) = (dice.below(data.len()), dice.below(data.len() - 1));
    let other = if other >= one { other + 1 } else { other };
    data.swap(one, other);
    let hashed = dice.one_in(2);
    rewrite(files, &folder, &data, hashed)?;
    Some(format!("entries {one} and {other} of {folder} swapped, leaves made to fit: {hashed}"))
}

fn leave_out(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    let (folder, mut data) = a_log(files, dice)?;
    let index = dice.below(data.len());
    data.remove(index);
    let (hashed, filled) = (dice.one_in(2), dice.one_in(2));
    if filled {
        data.push(vec![7; 40]);
    }
    rewrite(files, &folder, &data, hashed)?;
    if !hashed && dice.one_in(2) {
        let hashes = files.files.get_mut(&format!("{folder}leaves"))?;
        hashes.drain(32 * index..32 * index + 32);
    }
    Some(format!(
        "entry {index} of {folder} left out, leaves made to fit: {hashed}, another put at the end: {filled}"
    ))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for piece in bytes.chunks(3) {
        let at = |place: usize| u32::from(piece.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let sign = char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]);
            out.push(if digit <= piece.len() { sign } else { '=' });
        }
    }
    out
}

fn replace_signature(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    if dice.one_in(4) {
        // Outside notes signatures of 64 bytes stand behind their length, 0x58 0x40.
        let folder = *dice.pick(&["credentials/", "rosters/", "rosters/", "proofs/", "equivocations/"]);
        let path = some(files, dice, |path| path.starts_with(folder))?;
        let bytes = files.files.get_mut(&path)?;
        let framed = |at: &usize| bytes[*at..].starts_with(&[0x58, 0x40]) && *at + 66 <= bytes.len();
        let places: Vec<usize> = (0..bytes.len()).filter(framed).collect();
        let at = *places.get(dice.below(places.len().max(1)))? + 2;
        bytes[at..at + 64].copy_from_slice(&dice.bytes::<64>());
        return Some(format!("the signature at byte {at} of {path} replaced"));
    }
    let path = some(files, dice, |path| path.ends_with("/notes"))?;
    let text = String::from_utf8(files.files[&path].clone()).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let places: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("— ")).collect();
    let (at, from) = (*dice.pick(&places), *dice.pick(&places));
    let cut =
        |line: &str| line.rfind(' ').map(|space| (line[..=space].to_owned(), line[space + 1..].to_owned()));
    let (name, old) = cut(&lines[at])?;
    let (_, other) = cut(&lines[from])?;
    // Seven signs hold the key id and the first bits behind it; the rest is replaced.
    let new = if old.len() == other.len() && at != from {
        old[..8].to_owned() + &other[8..]
    } else {
        let mut random = String::new();
        while random.len() < old.len() {
            random += &base64(&dice.bytes::<48>());
        }
        let tail = old.len() - 4;
        old[..8].to_owned() + &random[8..tail] + &old[tail..]
    };
    lines[at] = name + &new;
    files.files.insert(path.clone(), (lines.join("\n") + "\n").into_bytes());
    Some(format!("the signature in line {at} of {path} replaced"))
}

fn invent_root(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    let path = some(files, dice, |path| path.ends_with("/notes"))?;
    let text = String::from_utf8(files.files[&path].clone()).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|at| *at == 0 || lines[at - 1].is_empty())
        .filter(|at| lines[*at].starts_with("detente/"))
        .collect();
    let at = *dice.pick(&starts) + 2;
    let root = Hash(dice.bytes());
    *lines.get_mut(at)? = base64(&root.0);
    files.files.insert(path.clone(), (lines.join("\n") + "\n").into_bytes());
    Some(format!("the root in line {at} of {path} invented"))
}

fn change_files(files: &mut MemoryFiles, dice: &mut Dice) -> Option<String> {
    let path = some(files, dice, |path| path != NOTE)?;
    Some(match dice.below(5) {
        0 => {
            files.files.remove(&path);
            format!("{path} taken away")
        }
        1 => {
            let bytes = files.files.get_mut(&path)?;
            let length = dice.below(bytes.len().max(1));
            bytes.truncate(length);
            format!("{path} cut to {length} bytes")
        }
        2 => {
            files.files.get_mut(&path)?.push(b'\n');
            format!("a byte added to {path}")
        }
        3 => {
            let name = dice.pick(&[
                "x",
                "charters/01",
                "charters/7",
                "proofs/zz",
                "logs/a/b/c/entries",
                "rosters/1",
            ]);
            files.files.insert((*name).to_owned(), vec![1]);
            format!("{name} added")
        }
        _ => {
            let other = some(files, dice, |path| path != NOTE)?;
            let bytes = files.files[&other].clone();
            files.files.insert(path.clone(), bytes);
            format!("{path} replaced by a copy of {other}")
        }
    })
}
