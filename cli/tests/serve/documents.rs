//! The commands in documents and examples start.

use std::{fs, path::Path};

use crate::world::Serve;

/// Each holds at least one line with a command.
const DOCUMENTS: [&str; 7] = [
    "README.md",
    "docs/serve.md",
    "examples/serve/nginx.conf",
    "examples/serve/Caddyfile",
    "examples/serve/envoy.yaml",
    "examples/serve/traefik.yaml",
    "examples/serve/pomerium-jwt.service",
];

#[test]
fn every_command_starts() {
    for document in DOCUMENTS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{document}: {error}"));
        let beginnings =
            ["pomerium-jwt serve ", "#   pomerium-jwt serve ", "ExecStart=/usr/local/bin/pomerium-jwt serve "];
        let commands: Vec<&str> =
            text.lines().filter_map(|line| beginnings.iter().find_map(|begin| line.strip_prefix(begin))).collect();
        assert!(!commands.is_empty(), "{document} has no command");
        for command in commands {
            let words: Vec<&str> = command.split('#').next().unwrap_or_default().split_whitespace().collect();
            let arguments = with_free_ports(&words);
            // Most name the route; the unit has it in its environment
            let environment = [("POMERIUM_JWT_ROUTE", "https://app.example.com")];
            drop(Serve::with(&environment, &arguments));
        }
    }
}

/// `--listen` is given by the test, and any other address gets a free port.
fn with_free_ports<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--listen" => drop(words.next()),
            "--admin-listen" => {
                words.next();
                arguments.extend([word, "127.0.0.1:0"]);
            }
            _ => arguments.push(word),
        }
    }
    arguments
}
