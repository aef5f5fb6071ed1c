//! The options as Python's TypedDicts.

use pomerium_jwt::{OPTIONS, OptionGroup, OptionKind, OptionSpec};

pub(crate) const FILE: &str = "../bindings-python/python/pomerium_jwt/_option_types.py";

const BEGINNING: &str = r#""""The options' names, types and meaning, printed from the core: `make conformance` writes this file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

List = str | Sequence[str]
Path = str | os.PathLike[str]
Jwks = Mapping[str, Any]
Claims = Mapping[str, List]
Seconds = int | timedelta
"#;

const REQUEST: &str = "class RequestOptions(TypedDict, total=False):\n    \
     \"\"\"Which requests get in: what Verifier.with_options can replace.\"\"\"\n";
const ALL: &str = "class Options(RequestOptions, total=False):\n    \
     \"\"\"What Verifier takes. Durations are whole seconds or a timedelta; an option that is left out has its default.\"\"\"\n";

/// The width of the package's lines.
const WIDTH: usize = 120;

pub(crate) fn options() -> String {
    let (request, others): (Vec<&OptionSpec>, _) =
        OPTIONS.iter().partition(|option| option.group == OptionGroup::Request);
    let class = |head: &str, options: &[&OptionSpec]| {
        options.iter().fold(format!("\n\n{head}"), |class, option| class + "\n" + &member(option))
    };
    BEGINNING.to_owned() + &class(REQUEST, &request) + &class(ALL, &others)
}

fn member(option: &OptionSpec) -> String {
    let kind = match &option.kind {
        OptionKind::List => "List",
        OptionKind::Text if option.name.ends_with("_file") => "Path",
        OptionKind::Text => "str",
        OptionKind::Flag => "bool",
        OptionKind::Seconds(_) => "Seconds",
        OptionKind::Integer(_) => "int",
        OptionKind::JwkSet => "Jwks",
        OptionKind::Claims => "Claims",
        other => panic!("{other:?} is a new kind of option: write here what it is called"),
    };
    format!("    {}: {kind}\n{}", option.name, docstring(&meaning(option)))
}

/// The meaning, the range and the default in one paragraph.
fn meaning(option: &OptionSpec) -> String {
    let mut text = option.meaning.to_owned();
    if let OptionKind::Seconds(range) | OptionKind::Integer(range) = &option.kind {
        text += &format!(" Takes {} to {}.", range.start(), range.end());
    }
    match option.default().as_str() {
        "null" => {}
        "false" => text += " Default: False.",
        default => text += &format!(" Default: {default}."),
    }
    text
}

/// The text in triple quotes, below the member it is about.
fn docstring(text: &str) -> String {
    assert!(!text.contains('\\') && !text.contains("\"\"\""), "Python would read this otherwise: {text}");
    let mut lines = vec!["    \"\"\"".to_owned()];
    for (number, word) in text.split_whitespace().enumerate() {
        let line = lines.last_mut().expect("a line");
        if line.len() + 1 + word.len() + 3 > WIDTH {
            lines.push(format!("    {word}"));
        } else {
            *line += if number == 0 { "" } else { " " };
            *line += word;
        }
    }
    lines.join("\n") + "\"\"\"\n"
}
