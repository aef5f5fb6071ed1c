//! The parts of documents that are written by `make conformance`: the options, the codes, and the files under `examples/`.

mod errors;
mod options;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where documents with such parts may be, below the repository.
const FOLDERS: &[&str] = &[".", "docs", "clients/*", "bindings-*", "ffi-c", "tower", "core", "examples/*"];

/// Every document that has a written part: its name below `conformance/` and its content, with that part as it should be.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found: Vec<PathBuf> = FOLDERS.iter().flat_map(|folder| documents(&root, folder)).collect();
    found.sort();
    let with_parts = found.into_iter().filter_map(|path| {
        let text = read(&path);
        let content = filled(&text, &path, &root);
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        text.contains("\n<!-- ").then(|| (format!("../{name}"), content.into_bytes()))
    });
    with_parts.collect()
}

/// The Markdown files of a folder, whose last part may be a pattern that ends in `*`.
fn documents(root: &Path, folder: &str) -> Vec<PathBuf> {
    let (parent, pattern) = folder.rsplit_once('/').unwrap_or(("", folder));
    let folders: Vec<PathBuf> = match pattern.strip_suffix('*') {
        Some(beginning) => entries(&root.join(parent)).filter(|path| begins_with(path, beginning)).collect(),
        None if folder == "." => vec![root.to_owned()],
        None => vec![root.join(folder)],
    };
    let files = folders.iter().flat_map(|folder| entries(folder));
    files.filter(|path| path.is_file() && path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn begins_with(path: &Path, beginning: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn filled(text: &str, document: &Path, root: &Path) -> String {
    let text = replaced(text, document, "options", &options::tables());
    let text = replaced(&text, document, "errors", &errors::sections());
    with_files(&text, document, |name| read(&root.join(name)))
}

/// The document with `content` between `<!-- name -->` and `<!-- end -->`, if it has these lines.
fn replaced(text: &str, document: &Path, name: &str, content: &str) -> String {
    let begin = format!("<!-- {name} -->\n");
    let Some((before, rest)) = text.split_once(&begin) else { return text.to_owned() };
    let end = format!("{} has no line <!-- end --> after <!-- {name} -->", document.display());
    let (_, after) = rest.split_once("<!-- end -->").expect(&end);
    format!("{before}{begin}{content}<!-- end -->{after}")
}

/// The document with each code block after a line `<!-- file: PATH -->` as the file is.
fn with_files(text: &str, document: &Path, read: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("\n<!-- file: ");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let form = format!("{}: <!-- file: PATH -->, then a code block", document.display());
        let (path, rest) = part.split_once(" -->\n").expect(&form);
        let (fence, rest) = rest.split_once('\n').expect(&form);
        let (_, after) = rest.split_once("```\n").expect(&form);
        assert!(fence.starts_with("```"), "{form}");
        filled += &format!("\n<!-- file: {path} -->\n{fence}\n{}```\n{after}", read(path));
    }
    filled
}
