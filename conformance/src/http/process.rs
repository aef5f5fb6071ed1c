//! An application as a process: started with an environment, watched, stopped.

use std::{
    io::{BufRead as _, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{Application, wire::Connection};

/// Long enough for an interpreter on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The variables of one start.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// A running application. Dropping it ends its whole process group.
pub(crate) struct Process {
    child: Child,
    pub(crate) printed: Printed,
}

/// What it has printed so far.
#[derive(Clone)]
pub(crate) struct Printed {
    output: Text,
    errors: Text,
}

type Text = Arc<Mutex<Collected>>;

/// What a stream has brought so far, and whether that was all.
#[derive(Default)]
struct Collected {
    text: String,
    ended: bool,
}

impl Process {
    /// Starts it; it does not listen yet.
    fn spawn(application: &Application, port: u16, environment: &Environment) -> Result<Self, String> {
        let (program, arguments) = application.command.split_first().ok_or("the command is empty")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&application.folder);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.to_ascii_uppercase().starts_with("POMERIUM_JWT_") || matches!(&*text, "CORS_ORIGIN" | "REWRITE") {
                command.env_remove(&name);
            }
            // What `cargo run` has set for this program would have another `cargo run` build most of its crates again
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command.env("PORT", port.to_string()).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|why| format!("cannot start {program}: {why}"))?;
        let printed = Printed { output: collected(child.stdout.take()), errors: collected(child.stderr.take()) };
        Ok(Self { child, printed })
    }

    /// Starts it and waits until it has said where it listens.
    pub(crate) fn listening(
        application: &Application,
        environment: &Environment,
    ) -> Result<(Self, SocketAddr), String> {
        let mut process = Self::spawn(application, 0, environment)?;
        let begin = Instant::now();
        loop {
            if let Some(port) = process.printed.output().lines().find_map(port_of) {
                return Ok((process, SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
            }
            let why = match process.exited() {
                Some(status) => format!("it ended ({status})"),
                None if begin.elapsed() > PATIENCE => format!("not within {} s", PATIENCE.as_secs()),
                None => {
                    thread::sleep(Duration::from_millis(10));
                    continue;
                }
            };
            return Err(format!("it never printed the line http://127.0.0.1:PORT: {why}\n{}", process.printed.both()));
        }
    }

    /// Starts it and waits until it ends by itself. Any answer that it gives in the meantime is a failure.
    pub(crate) fn ending(application: &Application, environment: &Environment) -> Result<(ExitStatus, String), String> {
        let port = free_port()?;
        let mut process = Self::spawn(application, port, environment)?;
        let begin = Instant::now();
        loop {
            let ended = process.exited();
            // The port may be somebody else's by now: an answer counts only from an application that is there
            if let Some(answer) = some_answer(port)
                && process.exited().is_none()
            {
                return Err(format!("it answered a request: {answer}"));
            }
            if let Some(status) = ended {
                process.printed.wait_for_the_rest();
                return Ok((status, process.printed.both()));
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("it is still running\n{}", process.printed.both()));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn signal(&self, signal: &str) {
        // The whole group: a server's workers too
        let group = format!("-{}", self.child.id());
        let kill = format!("kill -s {signal} -- {group}"); // the shell's own: a slim image has no other
        let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
    }
}

impl Printed {
    pub(crate) fn output(&self) -> String {
        locked(&self.output)
    }

    pub(crate) fn errors(&self) -> String {
        locked(&self.errors)
    }

    /// After its end: what it printed last may still be on its way. A process that it has left behind may hold the streams.
    fn wait_for_the_rest(&self) {
        let begin = Instant::now();
        let ended = |text: &Text| text.lock().unwrap_or_else(PoisonError::into_inner).ended;
        while !(ended(&self.output) && ended(&self.errors)) && begin.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn both(&self) -> String {
        format!("standard output:\n{}standard error:\n{}", self.output(), self.errors())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal("TERM");
        let begin = Instant::now();
        while self.exited().is_none() && begin.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(10));
        }
        self.signal("KILL");
        let _ = self.child.kill(); // it waits for no end that cannot come
        let _ = self.child.wait();
    }
}

fn collected(stream: Option<impl Read + Send + 'static>) -> Text {
    let text = Text::default();
    let (Some(stream), shared) = (stream, text.clone()) else { return text };
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            shared.lock().unwrap_or_else(PoisonError::into_inner).text += &String::from_utf8_lossy(&line);
            line.clear();
        }
        shared.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
    });
    text
}

fn locked(text: &Text) -> String {
    text.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
}

fn port_of(line: &str) -> Option<u16> {
    line.strip_prefix("http://127.0.0.1:")?.parse().ok().filter(|port| *port != 0)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|why| why.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|why| why.to_string())
}

/// What a request to this port gets, if anything. A server that has bound the port and then ends says nothing.
fn some_answer(port: u16) -> Option<String> {
    let mut connection = Connection::open(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok()?;
    connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    match connection.until_end() {
        Ok(bytes) if bytes.is_empty() => None,
        Ok(bytes) => Some(bytes.escape_ascii().to_string()),
        Err(_) => None,
    }
}
