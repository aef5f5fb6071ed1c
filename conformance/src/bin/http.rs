//! Runs the HTTP suite: `http LANGUAGE` against that language's applications, four at a time;
//! `http NAME [CASE] -- COMMAND...` against this one in the current folder, or the cases of it that begin with CASE.
#![forbid(unsafe_code)]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Mutex,
    thread,
};

use pomerium_jwt_conformance::http::{Application, Feature, Listed, listed, run};

const USAGE: &str = "usage: http LANGUAGE | http NAME [CASE] -- COMMAND...";
/// So many applications run at the same time.
const AT_A_TIME: usize = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        [name, "--", ref command @ ..] if !command.is_empty() => one(name, "", command),
        [name, only, "--", ref command @ ..] if !command.is_empty() => one(name, only, command),
        [language] if listed().iter().any(|one| one.language == language) => every(language),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// One application, in the current folder.
fn one(name: &str, only: &str, command: &[&str]) -> Result<bool, String> {
    let features: &'static [Feature] = listed().iter().find(|one| one.name == name).map_or(&[], |one| one.features);
    let folder = std::env::current_dir().map_err(|why| why.to_string())?;
    let command = command.iter().map(|&word| word.to_owned()).collect();
    suite(&Application { name: name.to_owned(), folder, command, features }, only)
}

/// Every application of a language.
fn every(language: &str) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate has no parent")?;
    let applications: Vec<&Listed> = listed().iter().filter(|one| one.language == language).collect();
    let prepared: Vec<Application> =
        applications.iter().map(|one| prepared(root, one)).collect::<Result<_, String>>()?;
    let (queue, failed) = (Mutex::new(prepared.into_iter()), Mutex::new(false));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no suite panics").next();
                    let Some(application) = next else { return };
                    let good = suite(&application, "").unwrap_or_else(|why| {
                        eprintln!("{}: {why}", application.name);
                        false
                    });
                    *failed.lock().expect("no suite panics") |= !good;
                }
            });
        }
    });
    Ok(!failed.into_inner().expect("no suite panics"))
}

/// The page that a stranger reads quotes the command that runs here.
fn prepared(root: &Path, one: &Listed) -> Result<Application, String> {
    let page = std::fs::read_to_string(root.join(one.readme)).map_err(|why| format!("{}: {why}", one.readme))?;
    if !page.contains(one.command) {
        return Err(format!(
            "{} does not quote the command of {}: {}\nWrite it there, or mend the list in conformance/src/http/applications.rs",
            one.readme, one.name, one.command
        ));
    }
    let folder: PathBuf = root.join(one.folder);
    let command = one.command.split(' ').map(str::to_owned).collect();
    Ok(Application { name: one.name.to_owned(), folder, command, features: one.features })
}

/// Prints the line, or what differs and what to do.
fn suite(application: &Application, only: &str) -> Result<bool, String> {
    let report = run(application, only)?;
    if report.cases + report.not_possible + report.failures.len() == 0 {
        return Err(format!("{}: no case begins with {only:?}", report.name));
    }
    let mut text = String::new();
    for failure in &report.failures {
        text += &format!("{failure}\n");
    }
    if !report.failures.is_empty() {
        text += &format!(
            "{name}: {count} differences in {seconds:.1} s. Run one alone, in the folder of the application:\n    \
             cargo run -p pomerium-jwt-conformance --bin http -- {name} CASE -- {command}\n\
             A wrong integration is mended. If the server answers by itself before any code of ours, write a line with \
             the reason into conformance/src/http/limits.rs\n",
            name = report.name,
            count = report.failures.len(),
            seconds = report.seconds,
            command = application.command.join(" "),
        );
        print!("{text}");
        return Ok(false);
    }
    println!("{}\n    {:.1} s", report.line(), report.seconds);
    Ok(true)
}
