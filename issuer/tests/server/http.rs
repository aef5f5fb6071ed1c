//! As little of an HTTP client as the tests need: one request on one connection, everything visible.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Long enough for any machine, short enough that a server which never answers fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The header's value, `""` if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let values = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        values.into_iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

/// Writes a request; `headers` are whole lines, each with its line break.
pub(crate) fn send(stream: &mut impl Write, request_line: &str, headers: &str, body: &str) {
    let length = body.len();
    let text = format!(
        "{request_line} HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).expect("the request is taken");
}

pub(crate) fn receive(stream: &mut impl Read) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer to its end");
    let (head, body) = text.split_once("\r\n\r\n").expect("an empty line after the headers");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// One request from beginning to end: `request("GET /stats", "", "")`.
pub(crate) fn request(address: SocketAddr, request_line: &str, headers: &str, body: &str) -> Answer {
    let mut stream = connect(address);
    send(&mut stream, request_line, headers, body);
    receive(&mut stream)
}
