//! HTTP/1.1 by the byte: what is sent is exactly what a case says, what comes back is split and not interpreted.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Far beyond any answer, also on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a request got.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Response(Response),
    /// The server closed the connection without an answer.
    Closed,
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: String,
    /// In their order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether a `100 Continue` came first.
    pub(crate) continued: bool,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    /// Read and not yet used: the beginning of the next answer.
    rest: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|why| format!("cannot connect: {why}"))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
        stream.set_nodelay(true).map_err(|why| why.to_string())?;
        Ok(Self { stream, rest: Vec::new() })
    }

    /// False if the server has closed: it may have answered before it read everything.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next answer. Interim answers are passed over.
    pub(crate) fn answer(&mut self, head_only: bool) -> Result<Answer, String> {
        let mut continued = false;
        loop {
            let Some(mut response) = self.head()? else { return Ok(Answer::Closed) };
            if matches!(response.status, 100 | 102 | 103) {
                continued |= response.status == 100;
                continue;
            }
            response.continued = continued;
            if !head_only && !matches!(response.status, 101 | 204 | 304) {
                response.body = self.body(&response)?;
            }
            return Ok(Answer::Response(response));
        }
    }

    /// Exactly this many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.rest.len() < count {
            if !self.more()? {
                return Err(format!("the connection ended {} bytes early", count - self.rest.len()));
            }
        }
        Ok(self.rest.drain(..count).collect())
    }

    /// Everything until the server closes.
    pub(crate) fn until_end(&mut self) -> Result<Vec<u8>, String> {
        while self.more()? {}
        Ok(std::mem::take(&mut self.rest))
    }

    /// Whether nothing comes for a moment: a server that waits for the rest of the request.
    pub(crate) fn is_quiet(&mut self) -> Result<bool, String> {
        const MOMENT: Duration = Duration::from_millis(300);
        if !self.rest.is_empty() {
            return Ok(false);
        }
        self.stream.set_read_timeout(Some(MOMENT)).map_err(|why| why.to_string())?;
        let peeked = loop {
            match self.stream.peek(&mut [0]) {
                Err(why) if why.kind() == ErrorKind::Interrupted => {} // an application has ended: SIGCHLD
                peeked => break peeked,
            }
        };
        self.stream.set_read_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
        Ok(peeked.is_err_and(|why| matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)))
    }

    fn head(&mut self) -> Result<Option<Response>, String> {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at;
            }
            if !self.more()? {
                if self.rest.is_empty() {
                    return Ok(None);
                }
                return Err(format!("half an answer: {}", self.rest.escape_ascii()));
            }
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        self.rest.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().splitn(3, ' ');
        let (version, status) = (first.next().unwrap_or_default(), first.next().and_then(|status| status.parse().ok()));
        let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
            return Err(format!("not HTTP: {head:?}"));
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("not a header: {line:?}"))?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Result<_, String>>()?;
        let reason = first.next().unwrap_or_default().to_owned();
        Ok(Some(Response { status, reason, headers, body: Vec::new(), continued: false }))
    }

    fn body(&mut self, response: &Response) -> Result<Vec<u8>, String> {
        if response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        match response.header("content-length") {
            Some(length) => self.take(length.parse().map_err(|_| format!("Content-Length: {length}"))?),
            None => self.until_end(),
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let size = self.line()?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16)
                .map_err(|_| format!("not the size of a chunk: {size:?}"))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(size)?);
            self.take(2)?;
        }
    }

    fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(at) = self.rest.windows(2).position(|bytes| bytes == b"\r\n") {
                let line = String::from_utf8_lossy(&self.rest[..at]).into_owned();
                self.rest.drain(..at + 2);
                return Ok(line);
            }
            if !self.more()? {
                return Err("the connection ended within a chunk".to_owned());
            }
        }
    }

    /// Reads once; false at the end.
    fn more(&mut self) -> Result<bool, String> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.rest.extend(&buffer[..count]);
                Ok(count > 0)
            }
            Err(why) if why.kind() == ErrorKind::Interrupted => Ok(true),
            Err(why) if matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Ok(false),
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(format!("no answer within {} s", PATIENCE.as_secs()))
            }
            Err(why) => Err(why.to_string()),
        }
    }
}
