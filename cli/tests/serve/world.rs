//! The command, an issuer, and an upstream that answers with what it was sent.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use pomerium_jwt_issuer::{Server, ServerOptions};

/// One issuer for all tests of a run.
pub(crate) static ISSUER: LazyLock<Server> =
    LazyLock::new(|| Server::start(ServerOptions::default()).expect("an issuer starts"));

/// Far beyond any answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A token of alice, in the group `staff`.
pub(crate) fn alice() -> String {
    ISSUER.mint(&ISSUER.assertion().user("alice", "alice@example.com", "Alice").groups(["staff"]))
}

/// The header line of a token.
pub(crate) fn assertion() -> String {
    format!("X-Pomerium-Jwt-Assertion: {}\r\n", alice())
}

/// The running command; it ends with this value.
pub(crate) struct Serve {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Standard output after the URL.
    output: BufReader<ChildStdout>,
    /// What it has written to standard error, line by line.
    errors: mpsc::Receiver<String>,
}

impl Serve {
    /// For the issuer's tokens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::with(&[("POMERIUM_JWT_ROUTE", ISSUER.url())], arguments)
    }

    pub(crate) fn with(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        // With as many open files as shells usually allow
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"ulimit -Sn 1024; exec "$0" "$@""#, env!("CARGO_BIN_EXE_pomerium-jwt")]);
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.env_clear().envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let (sender, errors) = mpsc::channel();
        let stream = child.stderr.take().expect("it is piped");
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        output.read_line(&mut line).expect("its output can be read");
        let address = line.trim().split("://").nth(1).and_then(|address| address.parse().ok());
        let Some(address) = address else {
            panic!("no URL in {line:?}: {:?}", errors.iter().collect::<Vec<_>>());
        };
        Self { child, address, output, errors }
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("its output can be read");
        line
    }

    /// The first line of the log that holds this.
    pub(crate) fn logs(&self, text: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{text:?} is not logged"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The answer to these bytes, as text, until the server closes.
    pub(crate) fn ask(&self, request: &str) -> String {
        ask(self.address, request)
    }

    /// The answer to a GET with these header lines.
    pub(crate) fn get(&self, path: &str, lines: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n{lines}\r\n"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = open(address);
    stream.write_all(request.as_bytes()).expect("it takes the request");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a reset ends it too
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

pub(crate) fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

/// The value of a header of an answer, or of an echoed request.
pub(crate) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

/// An upstream whose answer's body is the request as it arrived.
pub(crate) fn echo() -> String {
    upstream(|mut stream| {
        let request = read_request(&mut stream);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", request.len());
        let _ = stream.write_all(&[head.as_bytes(), &request].concat());
    })
}

/// An upstream with a thread for each connection.
pub(crate) fn upstream(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}")
}

pub(crate) fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let is_chunked = header(head, "transfer-encoding").is_some();
            if is_chunked { body.ends_with("0\r\n\r\n") } else { body.len() >= length }
        });
        if count == 0 || whole {
            return bytes;
        }
    }
}
