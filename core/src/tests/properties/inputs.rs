//! JSON texts to try: any shape, valid or nearly so, with what readers disagree about in plenty.

use proptest::prelude::*;

/// A text as a tree of its tokens, each as it is written. Not all of them are valid JSON.
#[derive(Debug, Clone)]
pub(super) enum Document {
    Scalar(String),
    Array(Vec<Document>),
    /// Names may repeat.
    Object(Vec<(String, Document)>),
}

impl Document {
    /// The text without white space between its tokens.
    pub(super) fn text(&self) -> String {
        self.spaced(&[""])
    }

    /// The text with these before, between and after its tokens, in turn.
    pub(super) fn spaced(&self, spaces: &[&str]) -> String {
        let mut tokens = Vec::new();
        self.tokens(&mut tokens);
        let mut spaces = spaces.iter().cycle();
        let mut space = || spaces.next().copied().unwrap_or_default();
        let mut text = space().to_owned();
        for token in tokens {
            text += token;
            text += space();
        }
        text
    }

    fn tokens<'a>(&'a self, tokens: &mut Vec<&'a str>) {
        match self {
            Document::Scalar(text) => tokens.push(text),
            Document::Array(entries) => enclosed(tokens, "[", entries, "]", |entry, tokens| entry.tokens(tokens)),
            Document::Object(members) => enclosed(tokens, "{", members, "}", |(name, value), tokens| {
                tokens.extend([name, ":"]);
                value.tokens(tokens);
            }),
        }
    }
}

fn enclosed<'a, T>(
    tokens: &mut Vec<&'a str>,
    open: &'a str,
    entries: &'a [T],
    close: &'a str,
    write: impl Fn(&'a T, &mut Vec<&'a str>),
) {
    tokens.push(open);
    for (position, entry) in entries.iter().enumerate() {
        if position > 0 {
            tokens.push(",");
        }
        write(entry, tokens);
    }
    tokens.push(close);
}

/// Objects and lists with these names and, among others, these values as JSON text.
pub(super) fn document(names: &[&str], values: &[&str]) -> impl Strategy<Value = Document> + use<> {
    let name = prop::sample::select(names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>());
    let name = prop_oneof![12 => name, 1 => string()];
    let value = prop::sample::select(values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>());
    let scalar = prop_oneof![4 => value, 1 => scalar()].prop_map(Document::Scalar);
    let value = scalar.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Document::Array),
            prop::collection::vec((name.clone(), inner), 0..7).prop_map(Document::Object),
        ]
    });
    prop_oneof![1 => value.clone(), 4 => value.prop_filter("an object", |value| matches!(value, Document::Object(_)))]
}

/// A string, number or literal, as written.
pub(super) fn scalar() -> impl Strategy<Value = String> {
    let literal = prop::sample::select(vec!["null", "true", "false", "nul", "NaN", "01", "-", "\"\"", "1e400", "-0"]);
    let number = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?";
    prop_oneof![1 => literal.prop_map(str::to_owned), 2 => number, 3 => string()]
}

/// A string as written: escapes, surrogates paired and alone, and what would end a string or begin a token.
pub(super) fn string() -> impl Strategy<Value = String> {
    let plain = ["a", "b", "\\u0061", "\\u0062", "é", "\\u00e9", "\\\"", "\\\\", "\\n", "\\/", "\\ud83d\\ude00", "😀"];
    let tokens = ["{", "}", "[", "]", ":", ",", " ", "\\u0000", "\u{feff}", "\u{7f}"];
    let wrong = ["\\ud800", "\\udc00", "\n", "\\x", "\\u12"];
    let piece = prop_oneof![
        12 => prop::sample::select(plain.to_vec()),
        4 => prop::sample::select(tokens.to_vec()),
        1 => prop::sample::select(wrong.to_vec()),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}
