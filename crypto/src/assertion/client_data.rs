//! The browser's account of an act, as JSON that an adversary may have written.
//!
//! Four members matter: type, challenge, origin, crossOrigin; a `topOrigin` refuses the act.
//! Browsers add others (Chromium a random one, on purpose), so unknown members are read over, but
//! strictly: one object, no name twice, valid JSON, nothing behind it. This small reader, and not a
//! general one, because another team's verifier must come to the same verdict on every input.
//! Source: WebAuthn Level 3, section 5.8.1; RFC 8259; `spec/crypto.md`, section 9.2.

use core::fmt;
use std::collections::BTreeSet;

/// The longest client data, in bytes; what browsers write has about 150.
pub const CLIENT_DATA_MAX: usize = 1024;

/// How deep unknown members may nest: the object itself is 1.
const DEPTH_MAX: usize = 8;

/// The members that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientData {
    pub(super) kind: String,
    pub(super) challenge: String,
    pub(super) origin: String,
    pub(super) cross_origin: bool,
    pub(super) has_top_origin: bool,
}

/// Why client data could not be read.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientDataError {
    /// More than [`CLIENT_DATA_MAX`] bytes.
    PeerTooLong,
    /// Not one JSON object in UTF-8 with distinct names, or nested too deep.
    PeerNotJson,
    /// `type`, `challenge` or `origin` is missing or no string, or `crossOrigin` is no truth value.
    PeerMember,
}

impl fmt::Display for ClientDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerTooLong => "the client data is longer than 1,024 bytes",
            Self::PeerNotJson => "the client data is not one JSON object with distinct names",
            Self::PeerMember => "the client data lacks a member or has one of the wrong type",
        })
    }
}

impl core::error::Error for ClientDataError {}

/// Reads client data. The order of its members does not matter.
pub(super) fn read(bytes: &[u8]) -> Result<ClientData, ClientDataError> {
    if bytes.len() > CLIENT_DATA_MAX {
        return Err(ClientDataError::PeerTooLong);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| ClientDataError::PeerNotJson)?;
    let mut reader = Reader { rest: text };
    let members = reader.whole_object().ok_or(ClientDataError::PeerNotJson)?;
    pick(members).ok_or(ClientDataError::PeerMember)
}

/// The client data a browser writes that adds nothing: exactly the bytes a compact proof stands for.
pub(super) fn template(challenge: &str, origin: &str) -> String {
    format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
}

/// `bytes` in base64url without padding (RFC 4648, section 5).
pub(super) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

/// A member's value as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Json {
    Text(String),
    Bool(bool),
    Other,
}

fn pick(members: Vec<(String, Json)>) -> Option<ClientData> {
    let mut data = ClientData::default();
    let mut found = 0;
    for (name, value) in members {
        match (name.as_str(), value) {
            ("type", Json::Text(text)) => (data.kind, found) = (text, found + 1),
            ("challenge", Json::Text(text)) => (data.challenge, found) = (text, found + 1),
            ("origin", Json::Text(text)) => (data.origin, found) = (text, found + 1),
            ("crossOrigin", Json::Bool(value)) => data.cross_origin = value,
            ("topOrigin", _) => data.has_top_origin = true,
            ("type" | "challenge" | "origin" | "crossOrigin", _) => return None,
            _ => {}
        }
    }
    (found == 3).then_some(data)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn whole_object(&mut self) -> Option<Vec<(String, Json)>> {
        self.space();
        let members = self.object(1)?;
        self.space();
        self.rest.is_empty().then_some(members)
    }

    fn object(&mut self, depth: usize) -> Option<Vec<(String, Json)>> {
        self.take('{')?;
        self.space();
        let (mut members, mut names) = (Vec::new(), BTreeSet::new());
        if self.take('}').is_some() {
            return Some(members);
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.take(':')?;
            let value = self.value(depth)?;
            if !names.insert(name.clone()) {
                return None;
            }
            members.push((name, value));
            if self.take('}').is_some() {
                return Some(members);
            }
            self.take(',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.take('[')?;
        self.space();
        if self.take(']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.take(']').is_some() {
                return Some(());
            }
            self.take(',')?;
        }
    }

    /// A value inside something at `depth`, with the space around it.
    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        let value = match self.rest.as_bytes().first()? {
            b'"' => Json::Text(self.string()?),
            b't' => self.word("true").map(|()| Json::Bool(true))?,
            b'f' => self.word("false").map(|()| Json::Bool(false))?,
            b'n' => self.word("null").map(|()| Json::Other)?,
            b'{' if depth < DEPTH_MAX => self.object(depth + 1).map(|_| Json::Other)?,
            b'[' if depth < DEPTH_MAX => self.array(depth + 1).map(|()| Json::Other)?,
            _ => self.number().map(|()| Json::Other)?,
        };
        self.space();
        Some(value)
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut out = String::new();
        loop {
            match self.next()? {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                '\0'..='\x1f' => return None,
                plain => out.push(plain),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.next()? {
            c @ ('"' | '\\' | '/') => Some(c),
            'b' => Some('\x08'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            _ => None,
        }
    }

    /// Four hexadecimal digits; two groups of them for a character beyond 0xFFFF. Half of a pair
    /// is no character and is refused.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take('\\')?;
        self.take('u')?;
        let second = self.hex4()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
    }

    fn hex4(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |value, _| Some(value << 4 | self.next()?.to_digit(16)?))
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take('-');
        if self.take('0').is_none() {
            self.digits()?;
        }
        if self.take('.').is_some() {
            self.digits()?;
        }
        if self.take('e').or_else(|| self.take('E')).is_some() {
            let _ = self.take('+').or_else(|| self.take('-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let after = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = after.len() < self.rest.len();
        self.rest = after;
        some.then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_browsers_write_and_over_what_they_add() {
        let chromium = br#"{"type":"webauthn.get","challenge":"AAEC","origin":"http://localhost:19631","crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON against a template. See https://goo.gl/yabPex"}"#;
        let data = read(chromium).unwrap();
        assert_eq!((data.kind.as_str(), data.challenge.as_str()), ("webauthn.get", "AAEC"));
        assert_eq!(data.origin, "http://localhost:19631");
        assert!(!data.cross_origin && !data.has_top_origin);

        let odd = "\u{20}{ \"x\" : [1, -0.5e+3, {\"y\":null}, []],\n\"origin\":\"\\u0061\\ud83d\\ude80/\",\"type\":\"t\",\"challenge\":\"\"} ";
        assert_eq!(read(odd.as_bytes()).unwrap().origin, "a🚀/");
    }

    #[test]
    fn a_template_is_read_as_what_it_says() {
        let data = read(template("Y2g", "https://a.example").as_bytes()).unwrap();
        assert_eq!(data.challenge, "Y2g");
        assert_eq!(data.origin, "https://a.example");
        assert_eq!(data.kind, "webauthn.get");
    }

    #[test]
    fn malformed_json_is_refused() {
        let with = |extra: &str| format!(r#"{{"type":"a","challenge":"b","origin":"c"{extra}}}"#);
        assert!(read(with("").as_bytes()).is_ok());
        for extra in [
            ",",
            r#","x""#,
            r#","x":"#,
            r#","x":01"#,
            r#","x":1."#,
            r#","x":.5"#,
            r#","x":+1"#,
            r#","x":1e"#,
            r#","x":tru"#,
            r#","x":"\x""#,
            r#","x":"\ud800""#,
            r#","x":"\ud800\u0041""#,
            r#","x":"\udc00""#,
            r#","type":"a""#,
            r#","x":1,"x":1"#,
            r#","x":{"y":1,"y":1}"#,
            r#","x":[1,]"#,
            r#","x":[1 2]"#,
            "} {",
            ",\"x\":\"\n\"",
            r#","x":"unended"#,
            r#","x":NaN"#,
            r#","\u0074ype":"a""#,
            r#","x":-"#,
            r#",x:1"#,
        ] {
            assert_eq!(read(with(extra).as_bytes()), Err(ClientDataError::PeerNotJson), "{extra}");
        }
        assert_eq!(read(b""), Err(ClientDataError::PeerNotJson));
        assert_eq!(read(b"[]"), Err(ClientDataError::PeerNotJson));
        assert_eq!(read(b"\xef\xbb\xbf{}"), Err(ClientDataError::PeerNotJson));
        assert_eq!(read(b"{\"x\":\"\xff\"}"), Err(ClientDataError::PeerNotJson));
        let deep = format!(r#","x":{}{}"#, "[".repeat(500), "]".repeat(400));
        assert_eq!(read(with(&deep).as_bytes()), Err(ClientDataError::PeerNotJson));
        assert_eq!(read(&[b' '; 1025]), Err(ClientDataError::PeerTooLong));
    }

    #[test]
    fn members_of_another_type_or_missing_ones_are_refused() {
        for text in [
            "{}",
            r#"{"type":"a","challenge":"b"}"#,
            r#"{"type":1,"challenge":"b","origin":"c"}"#,
            r#"{"type":"a","challenge":"b","origin":"c","crossOrigin":"false"}"#,
            r#"{"type":"a","challenge":"b","origin":"c","crossOrigin":null}"#,
        ] {
            assert_eq!(read(text.as_bytes()), Err(ClientDataError::PeerMember), "{text}");
        }
    }

    #[test]
    fn nesting_up_to_the_limit_is_read() {
        let nested = |levels: usize| {
            format!(
                r#"{{"type":"a","challenge":"b","origin":"c","x":{}{}}}"#,
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(read(nested(DEPTH_MAX - 1).as_bytes()).is_ok());
        assert!(read(nested(DEPTH_MAX).as_bytes()).is_err());
    }

    #[test]
    fn base64url_has_no_padding() {
        assert_eq!(base64url(b""), "");
        assert_eq!(base64url(b"f"), "Zg");
        assert_eq!(base64url(b"fo"), "Zm8");
        assert_eq!(base64url(b"foo"), "Zm9v");
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
