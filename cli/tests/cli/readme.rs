//! The commands of the README's section "At a terminal", run.

use std::{fs, path::Path};

use crate::{issuer::Issuer, shell::Shell};

#[test]
fn the_commands_of_the_readme_work() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(path).expect("README.md");
    let (_, section) = readme.split_once("## At a terminal\n").expect("the section");
    let block = section.split("```").nth(1).and_then(|block| block.strip_prefix("sh\n")).expect("a block of commands");

    let shell = Shell::new();
    let issuer = Issuer::start(&shell, "");
    let token = issuer.request("GET /mint?sub=alice");
    shell.write("token.txt", format!("> X-Pomerium-Jwt-Assertion: {token}\n> Accept: */*\n"));
    let mut ran = 0;
    for line in block.lines() {
        let (command, _) = line.split_once(" #").expect("a comment");
        let command = command.trim_end().replace("https://app.example.com", &issuer.url);
        let command = command.replace("TOKEN", &token).replace("FILE", "token.txt");
        if command == "pomerium-jwt issuer" {
            Issuer::start(&shell, "").request("GET /stats");
        } else {
            let answer = shell.run(&command);
            assert_eq!(answer.exit_code, 0, "{line}: {answer:?}");
        }
        ran += 1;
    }
    assert_eq!(ran, 4);
}
