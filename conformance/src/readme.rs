//! The parts of the READMEs that are printed: tables of options and codes, and the files under `examples/`.

use std::{fs, path::Path};

use pomerium_jwt::{ErrorCode, OPTIONS, OptionKind};

/// The README with its printed parts as they are now.
pub(crate) fn filled() -> Vec<u8> {
    let readme = replaced(&read("README.md"), "options", &options());
    let readme = replaced(&readme, "errors", &codes());
    with_files(&readme, read).into_bytes()
}

/// The README of the tower crate with the example applications as they are now.
pub(crate) fn tower() -> Vec<u8> {
    with_files(&read("tower/README.md"), read).into_bytes()
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text between `<!-- name -->` and `<!-- end -->`.
fn replaced(readme: &str, name: &str, content: &str) -> String {
    let begin = format!("<!-- {name} -->\n");
    let (before, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("README.md has no line {begin}"));
    let (_, after) = rest.split_once("<!-- end -->").expect("README.md has no line <!-- end --> behind it");
    format!("{before}{begin}{content}<!-- end -->{after}")
}

/// The code block behind each `<!-- file: PATH -->`.
fn with_files(readme: &str, read: impl Fn(&str) -> String) -> String {
    let mut parts = readme.split("<!-- file: ");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (path, rest) = part.split_once(" -->\n").expect("<!-- file: PATH -->");
        let (fence, rest) = rest.split_once('\n').expect("a code block behind <!-- file -->");
        let (_, after) = rest.split_once("```\n").expect("the end of the code block");
        filled += &format!("<!-- file: {path} -->\n{fence}\n{}```\n{after}", read(path));
    }
    filled
}

fn options() -> String {
    let mut table = "| option | default | takes | meaning |\n|---|---|---|---|\n".to_owned();
    for option in OPTIONS {
        let default = option.default();
        let default = if default == "null" { "" } else { &default };
        let takes = match &option.kind {
            OptionKind::List => "string or list".to_owned(),
            OptionKind::Text => "string".to_owned(),
            OptionKind::Flag => "boolean".to_owned(),
            OptionKind::Seconds(range) => format!("{} to {} s", range.start(), range.end()),
            OptionKind::Integer(range) => format!("{} to {}", range.start(), range.end()),
            OptionKind::JwkSet | OptionKind::Claims => "object".to_owned(),
            other => panic!("{other:?} is a new kind of option: write here what it is called"),
        };
        let meaning = option.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        table += &format!("| `{}` | {default} | {takes} | {meaning} |\n", option.name);
    }
    table
}

fn codes() -> String {
    let mut table = "| code | number | HTTP | meaning and what to do |\n|---|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        table += &format!("| `{code}` | {} | {} | {} |\n", code.number(), code.status(), code.meaning());
    }
    table
}
