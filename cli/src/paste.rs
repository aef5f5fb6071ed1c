//! Finds the token in pasted text: the output of `curl -v`, a URL, JSON, lines of an e-mail.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// What there is in a text.
pub(crate) enum Pasted {
    /// A token, sentences about the text, and whether the text is a damaged token rather than something that quotes one.
    Token {
        token: String,
        remarks: Vec<String>,
        is_damaged: bool,
    },
    /// Different tokens, and a sentence with the line of each.
    Several(String),
    Nothing,
}

/// The sentence about a text without a token.
pub(crate) const WANTED: &str = "No token was found: a token begins with eyJ and has three parts in base64url (A-Z a-z \
    0-9 - _), joined by dots.";

/// Enough for 4,096 bytes in base64url, the longest JOSE header that the core reads, and for line breaks.
const LONGEST_HEADER: usize = 6000;

/// How many places are named if there are different tokens.
const MOST_PLACES: usize = 9;

pub(crate) fn find(bytes: &[u8]) -> Pasted {
    let (text, mut remarks) = decode(bytes);
    let Some(Reading { text, tokens, remark }) = best_reading(&text) else { return Pasted::Nothing };
    let different = different(&tokens);
    if different.len() > 1 {
        return Pasted::Several(name_places(&text, &different));
    }
    let found = &tokens[0];
    remarks.extend(remark.map(str::to_owned));
    if found.is_wrapped {
        remarks.push("There are spaces or line breaks in it.".to_owned());
    }
    let around = around(&text, &tokens);
    let is_damaged = !around.contains(char::is_alphanumeric);
    if is_damaged && !around.is_empty() {
        remarks.push("There are quotation marks or other characters around it.".to_owned());
    }
    remarks.extend((!is_damaged).then(|| remark_on_name(&text, found)));
    Pasted::Token { token: found.token.clone(), remarks, is_damaged }
}

/// Reads the text as it is, then percent-decoded, then in the other base64 alphabet, and gives the first reading with a
/// complete token. If there is none, an incomplete one will do: its end was cut off.
fn best_reading(text: &str) -> Option<Reading> {
    const PERCENT: &str = "It is percent-encoded; a token in a header is not.";
    const STANDARD: &str =
        "It is in the standard base64 alphabet (+ / =); a token is in base64url (- _) without padding.";
    let mut readings = vec![Reading::new(text, Alphabet::Url, None)];
    readings.extend(percent_decoded(text).map(|decoded| Reading::new(&decoded, Alphabet::Url, Some(PERCENT))));
    readings.push(Reading::new(text, Alphabet::Standard, Some(STANDARD)));
    let is_complete = |reading: &Reading| reading.tokens.iter().any(|found| found.is_complete);
    let has_tokens = |reading: &Reading| !reading.tokens.is_empty();
    let best = readings.iter().position(is_complete).or_else(|| readings.iter().position(has_tokens))?;
    Some(readings.swap_remove(best))
}

/// The text with `<token>` in place of everything that looks like a token, since output may be logged.
pub(crate) fn without_tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let is_part = |character: char| Alphabet::Standard.has(character) || character == '.' || character == '%';
        let length = rest[start..].find(|character| !is_part(character)).unwrap_or(rest.len() - start);
        shown.push_str(&rest[..start]);
        shown.push_str(if length > 15 { "<token>" } else { &rest[start..start + length] });
        rest = &rest[start + length..];
    }
    shown + rest
}

/// A text, and the tokens in it.
struct Reading {
    text: String,
    tokens: Vec<FoundToken>,
    remark: Option<&'static str>,
}

/// A token and its place in the text.
struct FoundToken {
    token: String,
    start: usize,
    end: usize,
    /// Whether the signature has a length that its algorithm gives.
    is_complete: bool,
    /// Whether white space was removed from inside.
    is_wrapped: bool,
}

impl Reading {
    fn new(text: &str, alphabet: Alphabet, remark: Option<&'static str>) -> Self {
        let mut tokens = Vec::new();
        let mut from = 0;
        while let Some(start) = text[from..].find("eyJ").map(|offset| from + offset) {
            let before = &text[..start];
            let is_inside_a_word = before.ends_with(|c: char| c == '.' || Alphabet::Url.has(c));
            // Pomerium- is how a service account's token is sent to Pomerium
            let is_start = !is_inside_a_word || before.ends_with('_') || before.ends_with("Pomerium-");
            match is_start.then(|| token_at(text, start, alphabet)) {
                Some(Ok(found)) => {
                    from = found.end;
                    tokens.push(found);
                }
                Some(Err(end)) => from = end,
                None => from = start + 3,
            }
        }
        Self { text: text.to_owned(), tokens, remark }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Alphabet {
    Url,
    /// What standard base64 has in addition, padding included.
    Standard,
}

impl Alphabet {
    fn has(self, character: char) -> bool {
        let in_url = character.is_ascii_alphanumeric() || character == '-' || character == '_';
        in_url || (self == Alphabet::Standard && "+/=".contains(character))
    }
}

/// The token that begins at `start`, or else the place at which to continue the search. Lines may break it: a word after
/// white space belongs to it if all of its characters may be in a token, until the signature is as long as its algorithm
/// makes it.
fn token_at(text: &str, start: usize, alphabet: Alphabet) -> Result<FoundToken, usize> {
    let lengths = header_at(&text[start..]).and_then(|header| signature_lengths(&header)).ok_or(start + 3)?;
    let mut token = String::new();
    let mut end = start;
    let mut is_wrapped = false;
    loop {
        let word = text[end..].split(|c| !alphabet.has(c) && c != '.').next().unwrap_or_default();
        end += word.len();
        let ended = shortened_to_three_parts(&token, word).ok_or(end)?;
        token.push_str(ended);
        if signature(&token).is_some_and(|signature| is_whole(signature, lengths)) {
            end -= word.len() - ended.len();
            break;
        }
        let Some(skipped) = continuation(&text[end..], &token, alphabet) else { break };
        end += skipped;
        is_wrapped = true;
    }
    let token = in_url_alphabet(&token);
    let payload = token.split('.').nth(1).unwrap_or_default();
    let signature = signature(&token).filter(|_| !payload.is_empty()).ok_or(end)?;
    let is_complete = !lengths.is_empty() && is_whole(signature, lengths);
    Ok(FoundToken { start, end, is_complete, is_wrapped, token })
}

/// The text up to the first dot without white space, if it is short enough for a JOSE header.
fn header_at(text: &str) -> Option<String> {
    let longest = (0..=LONGEST_HEADER.min(text.len())).rev().find_map(|length| text.get(..length))?;
    let (header, _) = longest.split_once('.')?;
    let mut words = header.split_whitespace().map(|word| word.trim_end_matches(['\\', '=']));
    let first = words.next()?;
    let is_another = |word: &str| word.starts_with("eyJ");
    words.try_fold(first.to_owned(), |header, word| (!is_another(word)).then(|| header + word))
}

/// The word without the dots that end a sentence; none if it makes more than three parts, which no JWT has.
fn shortened_to_three_parts<'a>(token: &str, word: &'a str) -> Option<&'a str> {
    let dots = token.matches('.').count();
    let Some((third, _)) = word.match_indices('.').nth(2 - dots.min(2)) else { return Some(word) };
    word[third..].trim_matches('.').is_empty().then_some(&word[..third])
}

/// How many bytes of white space are before a word that continues the token.
fn continuation(rest: &str, token: &str, alphabet: Alphabet) -> Option<usize> {
    // \ and = are how shells and e-mails break a line
    let after = rest.trim_start_matches(['\\', '=']).trim_start();
    let skipped = rest.len() - after.len();
    let word = after.split(char::is_whitespace).next()?;
    let bare = word.trim_end_matches(['"', '\'', '`', '”', '’', '»', '>', ',', ';', ')', ']', '}', '\\', '=']);
    let dots = token.matches('.').count() + bare.matches('.').count();
    let continues = !bare.is_empty() && bare.chars().all(|c| alphabet.has(c) || c == '.') && dots <= 2;
    (rest[..skipped].contains(char::is_whitespace) && continues).then_some(skipped)
}

/// Whether nothing that follows can belong to the signature.
fn is_whole(signature: &str, lengths: &[usize]) -> bool {
    lengths.contains(&signature.len()) || lengths.last().is_none_or(|longest| signature.len() > *longest)
}

fn signature(token: &str) -> Option<&str> {
    token.split('.').nth(2)
}

/// The lengths in base64url that a signature of the header's algorithm can have; none for text that is not a JOSE header.
fn signature_lengths(header: &str) -> Option<&'static [usize]> {
    let header = URL_SAFE_NO_PAD.decode(in_url_alphabet(header)).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    Some(match header.as_object()?.get("alg").and_then(Value::as_str) {
        Some("ES256" | "EdDSA" | "HS512") => &[86],
        Some("RS256" | "PS256" | "RS512") => &[342, 512, 683], // 2048, 3072 and 4096 bits
        Some("ES384") => &[128],
        Some("HS256") => &[43],
        Some("HS384") => &[64],
        _ => &[],
    })
}

fn in_url_alphabet(token: &str) -> String {
    token.replace('+', "-").replace('/', "_").replace('=', "")
}

/// The text of these bytes; byte order marks and invisible characters, which programs add, are taken out and named.
fn decode(bytes: &[u8]) -> (String, Vec<String>) {
    let utf_16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let (text, is_utf_16) = match bytes {
        [0xff, 0xfe, ..] => (utf_16(u16::from_le_bytes), true),
        [0xfe, 0xff, ..] => (utf_16(u16::from_be_bytes), true),
        _ => (String::from_utf8_lossy(bytes).into_owned(), false),
    };
    let is_invisible = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let mut remarks = Vec::new();
    if is_utf_16 {
        remarks.push("The text is UTF-16, as PowerShell writes files; a token is ASCII.");
    } else if text.starts_with('\u{feff}') {
        remarks.push("The text begins with a byte order mark, an invisible character that editors write.");
    }
    if text.trim_start_matches('\u{feff}').contains(is_invisible) {
        remarks.push("There are invisible characters in the text.");
    }
    (text.replace(is_invisible, ""), remarks.into_iter().map(str::to_owned).collect())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    let decoded = String::from_utf8_lossy(&decoded).into_owned();
    (decoded != text).then_some(decoded)
}

/// The tokens without repetitions.
fn different(tokens: &[FoundToken]) -> Vec<&FoundToken> {
    let mut known = BTreeSet::new();
    tokens.iter().filter(|found| known.insert(&found.token)).collect()
}

fn name_places(text: &str, different: &[&FoundToken]) -> String {
    let place = |found: &&FoundToken| {
        let line = text[..found.start].matches('\n').count() + 1;
        name_before(text, found).map_or(format!("line {line}"), |name| format!("line {line} after {name}"))
    };
    let places: Vec<String> = different.iter().take(MOST_PLACES).map(place).collect();
    let more = if different.len() > MOST_PLACES { " and more" } else { "" };
    format!("There are {} different tokens, in {}{more}: give one of them.", different.len(), places.join(", in "))
}

/// The name in front of the token: of a header, variable, cookie, parameter or member.
fn name_before<'a>(text: &'a str, found: &FoundToken) -> Option<&'a str> {
    let is_wrapping = |c: char| c.is_whitespace() || "\"'`“”„‘’«»<>[({\\".contains(c);
    let before = text[..found.start].trim_end_matches("Pomerium-").trim_end_matches(is_wrapping);
    let scheme = before.len().saturating_sub(6);
    let has_scheme = before.get(scheme..).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    let before = if has_scheme { before[..scheme].trim_end_matches(is_wrapping) } else { before };
    let before = before.strip_suffix([':', '=', ','])?.trim_end_matches(is_wrapping);
    let name = before.rsplit(|c| !Alphabet::Url.has(c)).next()?;
    Some(name).filter(|name| (1..=64).contains(&name.len()))
}

/// The text without the tokens, their scheme and white space.
fn around(text: &str, tokens: &[FoundToken]) -> String {
    let ends = tokens.iter().map(|found| found.end);
    let starts = tokens.iter().map(|found| found.start).chain([text.len()]);
    let pieces = [0].into_iter().chain(ends).zip(starts).map(|(end, start)| &text[end..start]);
    let around: String = pieces.flat_map(str::split_whitespace).collect();
    if around.eq_ignore_ascii_case("bearer") { String::new() } else { around }
}

fn remark_on_name(text: &str, found: &FoundToken) -> String {
    let Some(name) = name_before(text, found) else { return "It was found in a longer text.".to_owned() };
    let is_parameter = text[..found.start].trim_end_matches('=').trim_end_matches(name).ends_with(['?', '&', '#']);
    let folded = name.to_ascii_lowercase().replace('_', "-");
    match folded.trim_start_matches("http-") {
        "x-pomerium-jwt-assertion" => "It was found after the name of its header.".to_owned(),
        "x-pomerium-jwt-assertion-for" => {
            "This is X-Pomerium-Jwt-Assertion-For: the first hop's token, which Pomerium copies without verifying it. \
             Use X-Pomerium-Jwt-Assertion."
                .to_owned()
        }
        "-pomerium" | "cookie" => {
            "This is a cookie, Pomerium's session; the application's token is in X-Pomerium-Jwt-Assertion.".to_owned()
        }
        _ if is_parameter => {
            format!(
                "It was found in the parameter {name} of a URL; an application reads X-Pomerium-Jwt-Assertion alone."
            )
        }
        _ => format!("It was found after {name}; the application's token is in X-Pomerium-Jwt-Assertion."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_holds_no_token() {
        let table = [
            ("unexpected argument 'eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.abc' found", "unexpected argument '<token>' found"),
            ("eyJhbGciOiJFUzI1NiJ9%2EeyJhIjoxfQ==", "<token>"),
            ("a eyJhbGciOiJFUzI1NiJ9 eyJhIjoxfQeyJhIjoxfQ é", "a <token> <token> é"),
            ("a token begins with eyJ and has", "a token begins with eyJ and has"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(without_tokens(text), expected);
        }
    }
}
