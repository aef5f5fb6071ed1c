//! The commands of `conformance/scenarios.md`, so that the page which every language follows says what works.

use std::collections::BTreeMap;

use pomerium_jwt_issuer::{Server, ServerOptions};

use crate::http::request;

const PAGE: &str = include_str!("../../../conformance/scenarios.md");

/// The requests of one section in their order, such as `POST /rotate?step=append`.
fn requests(section: &str) -> Vec<String> {
    let mut requests = Vec::new();
    for line in section.lines().filter(|line| line.contains("curl ")) {
        let (before, rest) = line.split_once("\"$ISSUER").unwrap_or_else(|| panic!("no \"$ISSUER/...\" in {line}"));
        let (path, _) = rest.split_once('"').unwrap_or_else(|| panic!("no closing quote in {line}"));
        let method = if before.contains("-X POST") { "POST" } else { "GET" };
        requests.push(format!("{method} {path}"));
    }
    requests
}

#[test]
fn every_command_of_the_scenarios_works_in_its_order() {
    let mut commands = BTreeMap::new();
    for section in PAGE.split("\n## ").filter(|section| section.starts_with(|first: char| first.is_ascii_digit())) {
        let server = Server::start(ServerOptions::default()).expect("loopback has a free port");
        let title = section.lines().next().unwrap_or_default();
        for line in requests(section) {
            let answer = request(server.address(), &line, "", "");
            assert_eq!(answer.status, 200, "{title}: {line}: {}", answer.body);
            *commands.entry(title).or_insert(0) += 1;
        }
    }
    assert_eq!(commands.len(), 5, "five scenarios, each with a command: {commands:?}");
}
