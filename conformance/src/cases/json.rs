//! Strict JSON: what readers disagree on is refused, in the header before the signature and in the payload after it.

use serde_json::{Value, json};

use crate::{
    case::{Case, Draft, case},
    fixtures::{KEY, base64url, key_set},
};

pub(crate) fn cases() -> Vec<Case> {
    [bad_members(), bad_texts(), harmless(), depth(), size(), options(), digits()].concat()
}

/// The same text in the header and in the payload. Both are signed as they stand.
fn refused_in_both(id: &str, note: &str, change: impl Fn(Draft, Part) -> Draft) -> [Case; 2] {
    let draft = |part: &str| case(format!("{part}-json-{id}"), note);
    let header = change(draft("header"), Part::Header).refused("token_malformed");
    [header, change(draft("payload"), Part::Payload).refused("claims_malformed")]
}

#[derive(Clone, Copy)]
enum Part {
    Header,
    Payload,
}

impl Part {
    fn with_member(self, draft: Draft, member: &[u8]) -> Draft {
        match self {
            Part::Header => draft.header_member(member),
            Part::Payload => draft.payload_member(member),
        }
    }

    fn changed(self, draft: Draft, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Draft {
        match self {
            Part::Header => draft.header(change(KEY.jose_header().into_bytes())),
            Part::Payload => {
                let payload = change(draft.payload_text());
                draft.payload(payload)
            }
        }
    }
}

/// What serde_json's feature `raw_value` reads as the list in the string.
const RESERVED_INSIDE: &str = r#""x":{"$serde_json::private::RawValue":"[\"admins\"]"}"#;

/// A good object with a bad member at its end.
fn bad_members() -> Vec<Case> {
    let many = (0..40).map(|n| format!(r#""n{n}":0,"#)).collect::<String>() + r#""n3":1"#;
    let digits = format!(r#""x":{}"#, "9".repeat(400));
    let members: [(&str, &str, &[u8]); 49] = [
        ("duplicate", "a name twice", br#""x":1,"x":2"#),
        ("duplicate-equal", "a name twice with one value", br#""x":1,"x":1"#),
        ("duplicate-escaped", "a name twice, once with an escape", br#""xy":1,"x\u0079":1"#),
        ("duplicate-empty", "an empty name twice", br#""":1,"":1"#),
        ("duplicate-nested", "a name twice in an object inside", br#""x":{"y":1,"y":2}"#),
        ("duplicate-in-list", "a name twice in an object in a list", br#""x":[[{"y":1,"y":2}]]"#),
        ("duplicate-of-many", "a name twice among forty others", many.as_bytes()),
        ("surrogate-high", "the first half of a character", br#""x":"\ud83d""#),
        ("surrogate-low", "the second half", br#""x":"\ude00""#),
        ("surrogates-reversed", "both halves in the wrong order", br#""x":"\ude00\ud83d""#),
        ("surrogate-twice", "the first half twice", br#""x":"\ud83d\ud83d""#),
        ("surrogate-and-letter", "the first half, and a letter", br#""x":"\ud83dx""#),
        ("surrogate-name", "half a character in a name", br#""\ud83d":1"#),
        ("surrogate-inside", "half a character in an object inside", br#""x":[{"y":"\udc00"}]"#),
        ("number-huge", "a number that no double holds", br#""x":1e400"#),
        ("number-huge-negative", "the same below zero", br#""x":-1e400"#),
        ("number-huge-inside", "the same inside", br#""x":{"y":[1e400]}"#),
        ("number-digits", "a number of 400 digits", digits.as_bytes()),
        ("number-leading-zero", "a leading zero", br#""x":01"#),
        ("number-plus", "a plus", br#""x":+1"#),
        ("number-dot-first", "no digit before the point", br#""x":.5"#),
        ("number-dot-last", "no digit after the point", br#""x":1."#),
        ("number-hex", "a number in hex", br#""x":0x10"#),
        ("number-no-exponent", "an exponent without digits", br#""x":1e"#),
        ("number-minus", "a minus alone", br#""x":-"#),
        ("nan", "not a number", br#""x":NaN"#),
        ("infinity", "no end", br#""x":Infinity"#),
        ("word", "a word", br#""x":undefined"#),
        ("word-case", "true in another case", br#""x":True"#),
        ("control", "a line end inside a string", b"\"x\":\"a\nb\""),
        ("nul-raw", "a NUL inside a string", b"\"x\":\"a\0b\""),
        ("escape-unknown", "an escape that there is not", br#""x":"\x41""#),
        ("escape-short", "an escape cut short", br#""x":"\u12""#),
        ("not-utf8", "a byte that UTF-8 has not", b"\"x\":\"\xff\""),
        ("utf8-overlong", "a NUL in two bytes, as Java writes it", b"\"x\":\"\xc0\x80\""),
        ("utf8-surrogate", "half a character in UTF-8", b"\"x\":\"\xed\xa0\xbd\""),
        ("utf8-beyond", "beyond the last character", b"\"x\":\"\xf4\x90\x80\x80\""),
        ("utf8-cut", "a character cut short", b"\"x\":\"\xc3\""),
        ("single-quotes", "other quotes", b"'x':1"),
        ("no-quotes", "no quotes", b"x:1"),
        ("comment", "a comment", br#""x":1 /* one */"#),
        ("trailing-comma", "a comma too much", br#""x":1,"#),
        ("no-comma", "a comma too few", br#""x":1 "y":2"#),
        ("number-name", "a name that is a number", b"1:1"),
        (
            "reserved",
            "a name with which a library of Rust passes values to itself",
            br#""$serde_json::private::RawValue":"1""#,
        ),
        ("reserved-escaped", "the same with an escape", br#""\u0024serde_json::private::RawValue":"1""#),
        ("reserved-inside", "the same as the only member of an object inside", RESERVED_INSIDE.as_bytes()),
        ("reserved-number", "the name for numbers", br#""x":{"$serde_json::private::Number":"1"}"#),
        ("reserved-number-escaped", "the same with an escape", br#""x":[{"$serde_json::private::N\u0075mber":"1"}]"#),
    ];
    members
        .into_iter()
        .flat_map(|(id, note, member)| refused_in_both(id, note, |draft, part| part.with_member(draft, member)))
        .collect()
}

/// A good object with something before or after it, and what is not an object.
fn bad_texts() -> Vec<Case> {
    let round = |before: &'static [u8], behind: &'static [u8]| move |text: Vec<u8>| [before, &text, behind].concat();
    let only = |text: &'static [u8]| move |_: Vec<u8>| text.to_vec();
    type Change = Box<dyn Fn(Vec<u8>) -> Vec<u8>>;
    let texts: [(&str, &str, Change); 22] = [
        ("byte-order-mark", "a byte order mark", Box::new(round(b"\xef\xbb\xbf", b""))),
        ("trailing-brace", "a brace too much", Box::new(round(b"", b"}"))),
        ("trailing-object", "a second object", Box::new(round(b"", b"{}"))),
        ("trailing-comma-behind", "a comma after it", Box::new(round(b"", b","))),
        ("trailing-nul", "a NUL after it", Box::new(round(b"", b"\0"))),
        ("trailing-letters", "letters after it", Box::new(round(b"", b"x"))),
        ("leading-letters", "what some servers write against script inclusion", Box::new(round(b")]}'\n", b""))),
        ("space-beyond-ascii", "a space that JSON has not", Box::new(round(b"\xc2\xa0", b""))),
        ("form-feed", "another one", Box::new(round(b"\x0c", b""))),
        ("list-of-it", "the object in a list", Box::new(round(b"[", b"]"))),
        ("cut", "the last brace is missing", Box::new(|text| text[..text.len() - 1].to_vec())),
        ("utf-16", "UTF-16", Box::new(|text| text.iter().flat_map(|byte| [*byte, 0]).collect())),
        ("encoded-twice", "base64url twice over", Box::new(|text| base64url(text).into_bytes())),
        ("empty", "nothing", Box::new(only(b""))),
        ("only-spaces", "only spaces", Box::new(only(b"  "))),
        ("null", "null", Box::new(only(b"null"))),
        ("true", "a boolean", Box::new(only(b"true"))),
        ("number", "a number", Box::new(only(b"1"))),
        ("string", "a string", Box::new(only(br#""x""#))),
        ("list", "a list", Box::new(only(b"[]"))),
        ("pairs", "a list of names and values", Box::new(only(br#"[["exp",1]]"#))),
        ("form", "no JSON", Box::new(only(b"sub=alice&exp=1"))),
    ];
    texts
        .into_iter()
        .flat_map(|(id, note, change)| refused_in_both(id, note, |draft, part| part.changed(draft, &change)))
        .collect()
}

/// What is odd but good JSON.
fn harmless() -> Vec<Case> {
    let members = [
        ("surrogates", "a character in two halves", r#""x":"\ud83d\ude00""#),
        ("last-character", "the last character", "\"x\":\"\u{10ffff}\""),
        ("noncharacter", "a code point that is not a character", "\"x\":\"\u{ffff}\""),
        ("nul-escaped", "a NUL with an escape", r#""x":"a\u0000b""#),
        ("escapes", "every escape", r#""x":"\"\\\/\b\f\n\r\t\u00e9""#),
        ("delete", "the one control character that needs no escape", "\"x\":\"\u{7f}\""),
        ("empty-name", "an empty name", r#""":1"#),
        ("names-differ-in-case", "names have a case", r#""x":1,"X":2,"Sub":"bob","EXP":0"#),
        ("same-name-elsewhere", "one name in several objects", r#""x":{"sub":"bob","x":{"x":1}}"#),
        ("prototype", "a name with a meaning in JavaScript", r#""__proto__":{"sub":"bob"},"constructor":1"#),
        ("number-large", "nearly the largest double", r#""x":1.7e308"#),
        ("number-tiny", "a number that rounds to zero", r#""x":1e-400"#),
        (
            "number-2-53",
            "integers beyond 2^53 are the host's reader's business",
            r#""x":[9007199254740993,18446744073709551616]"#,
        ),
        ("number-forms", "every form of a number", r#""x":[-0,0.0,1e2,1E+2,1e-2,-1.50]"#),
        ("literals", "every literal", r#""x":[null,true,false,{},[]]"#),
        (
            "nested",
            "fifty levels",
            r#""x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
        ),
    ];
    let mut cases = Vec::new();
    for (id, note, member) in members {
        cases.push(case(format!("payload-json-{id}"), note).payload_member(member).accepted());
    }
    for (id, note, member) in &members[..8] {
        cases.push(case(format!("header-json-{id}"), *note).header_member(member).accepted());
    }
    let with_spaces = |draft: Draft, part: Part| {
        part.changed(draft, |text| {
            let text = String::from_utf8(text).expect("JSON");
            format!("\r\n {} \n", text.replace("\",\"", "\" ,\n\t\"").replace("\":", "\" : ")).into_bytes()
        })
    };
    cases.extend([
        with_spaces(case("header-json-spaces", "Pomerium to 0.27 writes spaces, in the header too"), Part::Header)
            .accepted(),
        with_spaces(case("payload-json-spaces", "spaces and line ends anywhere"), Part::Payload).accepted(),
        case("payload-json-escaped-names", "a claim's name may be written with escapes")
            .payload(
                r#"{"\u0061ud":"app.example.com","e\u0078p":1795354437,"iss":"app.example.com","s\u0075b":"alice"}"#,
            )
            .accepted_as(json!({"user": null, "email": null, "name": null, "groups": [], "session_id": null,
                "token_id": null, "issued_at": null})),
    ]);
    cases
}

/// 8 levels in a header and 64 in a payload, the object itself being the first. That the payload was read shows in the
/// code after it.
fn depth() -> Vec<Case> {
    let member = |levels: usize| format!(r#""x":{}{}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    let objects = |levels: usize| format!(r#""x":{}1{}"#, r#"{"x":"#.repeat(levels - 1), "}".repeat(levels - 1));
    let header = |id: &str, note: &str| case(format!("depth-header-{id}"), note);
    let other = |id: &str, note: &str| case(format!("depth-{id}"), note).claim("aud", "other.example.com");
    let key = KEY.jose_header();
    let open = format!(r#"{},"x":"#, key.trim_end_matches('}'));
    let levels = [(open.as_str(), 1), ("[[[", 33_333), ("]]]", 33_333), ("}", 1)];
    vec![
        header("8", "as deep as a header may be").header_member(member(8)).accepted(),
        header("8-objects", "the same with objects").header_member(objects(8)).accepted(),
        header("9", "one level more").header_member(member(9)).refused("token_malformed"),
        header("9-objects", "the same with objects").header_member(objects(9)).refused("token_malformed"),
        header("64", "as deep as a payload may be").header_member(member(64)).refused("token_malformed"),
        other("payload-64", "as deep as a payload may be: the audience is the fault")
            .payload_member(member(64))
            .refused("audience_mismatch"),
        other("payload-64-objects", "the same with objects").payload_member(objects(64)).refused("audience_mismatch"),
        other("payload-65", "one level more").payload_member(member(65)).refused("claims_malformed"),
        other("payload-65-objects", "the same with objects").payload_member(objects(65)).refused("claims_malformed"),
        case("depth-payload-64-claims", "as deep as a payload may be, and handed out")
            .payload_member(member(64))
            .accepted(),
        unsigned("depth-header-100000", "100,000 levels in the header", Part::Header, &levels)
            .refused("token_malformed"),
        unsigned("depth-header-100000-open", "and never closed", Part::Header, &levels[..2]).refused("token_malformed"),
        unsigned(
            "depth-payload-100000",
            "in the payload: nobody signed it, so it is not even read",
            Part::Payload,
            &levels,
        )
        .refused("signature_invalid"),
    ]
}

/// A header has at most 4,096 bytes before base64url.
fn size() -> Vec<Case> {
    let case = |id: &str, note: &str| case(format!("header-size-{id}"), note);
    let long = |bytes: usize| {
        let open = format!(r#"{},"x":""#, KEY.jose_header().trim_end_matches('}'));
        let letters = "x".repeat(bytes - open.len() - 2);
        format!("{open}{letters}\"}}")
    };
    let spaced = |bytes: usize| format!("{:bytes$}", KEY.jose_header());
    let open = format!(r#"{},"x":["#, KEY.jose_header().trim_end_matches('}'));
    let objects = [(open.as_str(), 1), ("{},", 33_333), ("{}]}", 1)];
    vec![
        folded(case("4096", "as long as a header may be").header(long(4096)), "xxx").accepted(),
        folded(case("4097", "a byte more").header(long(4097)), "xxx").refused_saying("token_malformed", "4097 bytes"),
        folded(case("4096-spaces", "as long as it may be, with spaces").header(spaced(4096)), "   ").accepted(),
        folded(case("4097-spaces", "a byte more").header(spaced(4097)), "   ").refused("token_malformed"),
        unsigned("header-size-objects", "100,000 bytes of empty objects in the header", Part::Header, &objects)
            .refused("token_malformed"),
    ]
}

/// Strict JSON holds for options too, at every level: 64 levels, the document itself being the first.
fn options() -> Vec<Case> {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let reserved = json!({"$serde_json::private::RawValue": "1"});
    let case = |id: &str, note: &str| case(format!("option-json-{id}"), note);
    let set = |x: Value| json!({"keys": key_set(&[&KEY])["keys"], "x": x});
    vec![
        case("depth-64", "as deep as options may be: the name is the fault").option("x", nested(63)).invalid("unknown"),
        case("depth-65", "one level more").option("x", nested(64)).invalid("nested deeper than 64 levels"),
        case("depth-64-keys", "a key set in them").keys(set(nested(62))).accepted(),
        case("depth-65-keys", "one level more").keys(set(nested(63))).invalid("nested deeper than 64 levels"),
        case("reserved", "a name that serde_json uses itself")
            .option("$serde_json::private::RawValue", "1")
            .invalid("is reserved"),
        case("reserved-only", "as the only member").options(reserved.clone()).invalid("is reserved"),
        case("reserved-claim", "as the name of a claim")
            .option("expect_claims", reserved.clone())
            .invalid("is reserved"),
        case("reserved-keys", "in a key set").keys(set(reserved.clone())).invalid("is reserved"),
        case("reserved-initial", "in the first key set")
            .source("jwks_url", "https://app.example.com/jwks.json")
            .option("jwks_initial", set(reserved))
            .invalid("is reserved"),
        case("reserved-number", "the name for numbers")
            .keys(set(json!({"$serde_json::private::Number": "1"})))
            .invalid("is reserved"),
    ]
}

/// Numbers of 10^5 digits.
fn digits() -> Vec<Case> {
    let key = KEY.jose_header();
    let (whole, part) =
        (format!(r#"{},"x":"#, key.trim_end_matches('}')), format!(r#"{},"x":0."#, key.trim_end_matches('}')));
    let digits = |digits: &str, count: usize| format!(r#""x":{digits}{}"#, "1".repeat(count));
    let whole = [(whole.as_str(), 1), ("111", 33_334), ("}", 1)];
    let part = [(part.as_str(), 1), ("111", 33_334), ("}", 1)];
    vec![
        unsigned("digits-header-100000", "100,000 digits: no double is that large", Part::Header, &whole)
            .refused("token_malformed"),
        unsigned("digits-header-100000-fraction", "nor may a header have as many after the point", Part::Header, &part)
            .refused("token_malformed"),
        folded(case("digits-header-3000", "3,000 digits are too many too").header_member(digits("", 3000)), "111")
            .refused("token_malformed"),
        folded(
            case("digits-header-3000-fraction", "3,000 digits after the point are a number")
                .header_member(digits("0.", 3000)),
            "111",
        )
        .accepted(),
        unsigned("digits-payload-100000", "in the payload nobody reads them", Part::Payload, &whole)
            .refused("signature_invalid"),
    ]
}

/// The token written as parts, since most of its header is one piece of three bytes again and again.
fn folded(draft: Draft, piece: &str) -> Draft {
    let (token, piece) = (draft.mint(), base64url(piece));
    let run = piece.repeat(100);
    let start = token.find(&run).expect("the piece is repeated");
    let count = token.as_bytes()[start..].chunks(4).take_while(|chunk| *chunk == piece.as_bytes()).count();
    let (before, after) = (&token[..start], &token[start + 4 * count..]);
    draft.token(json!([before, [piece, count], after]))
}

/// A token with a part too long to be written out: pieces of text, each so many times. No signature can be over it.
fn unsigned(id: &str, note: &str, part: Part, pieces: &[(&str, usize)]) -> Draft {
    let other = base64url(match part {
        Part::Header => "{}".to_owned(),
        Part::Payload => KEY.jose_header(),
    });
    let mut long: Vec<Value> = pieces
        .iter()
        .enumerate()
        .map(|(at, (text, count))| {
            // base64 can be cut after every third byte; spaces after the brace fill up to there
            let missing = if at + 1 < pieces.len() { (3 - text.len() % 3) % 3 } else { 0 };
            json!([base64url(text.replacen('{', &format!("{{{}", " ".repeat(missing)), 1)), count])
        })
        .collect();
    match part {
        Part::Header => long.push(json!(format!(".{other}"))),
        Part::Payload => long.insert(0, json!(format!("{other}."))),
    }
    long.push(json!(format!(".{}", "A".repeat(86))));
    case(id, note).option("max_token_bytes", 1_048_576).token(long)
}
