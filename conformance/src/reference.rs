//! What is printed from the core for documentation and for the other languages: its codes and its options.

use pomerium_jwt::{ErrorCode, OPTIONS, OptionKind, OptionSpec};
use serde_json::{Value, json};

/// Each code as a line of `codes.json`.
pub(crate) fn codes() -> Vec<String> {
    ErrorCode::ALL.iter().copied().map(code).collect()
}

/// Each option as a line of `options.json`.
pub(crate) fn options() -> Vec<String> {
    OPTIONS.iter().map(option).collect()
}

fn code(code: ErrorCode) -> String {
    let (kind, status) = (code.kind().name(), code.status());
    line(&[
        ("code", code.name().into()),
        ("number", code.number().into()),
        ("kind", kind.into()),
        ("status", status.into()),
        ("meaning", code.meaning().into()),
    ])
}

fn option(option: &OptionSpec) -> String {
    let (kind, range) = match &option.kind {
        OptionKind::List => ("list", None),
        OptionKind::Text => ("string", None),
        OptionKind::Flag => ("boolean", None),
        OptionKind::Seconds(range) => ("seconds", Some(range)),
        OptionKind::Integer(range) => ("integer", Some(range)),
        OptionKind::JwkSet => ("jwks", None),
        OptionKind::Claims => ("claims", None),
        other => panic!("{other:?} is a new kind of option: write here what it is called"),
    };
    let default: Value = serde_json::from_str(&option.default()).expect("a default is JSON");
    let meaning = option.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    line(&[
        ("name", option.name.into()),
        ("group", option.group.name().into()),
        ("type", kind.into()),
        ("default", default),
        ("min", json!(range.map(|range| range.start()))),
        ("max", json!(range.map(|range| range.end()))),
        ("meaning", meaning.into()),
    ])
}

/// An object with its members in this order.
fn line(members: &[(&str, Value)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}
