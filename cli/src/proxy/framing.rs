//! Content-Length next to Transfer-Encoding: the header of a request whose end two servers find in different places.
//!
//! hyper reads such a request by its Transfer-Encoding and hides the other header. Here the bytes are read before it:
//! the colon of the second of the two becomes NUL, for which hyper answers 400 and closes the connection.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose requests have at most one of the two headers.
pub(super) struct Framed<S> {
    stream: S,
    scan: Scan,
}

impl<S> Framed<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, scan: Scan::default() }
    }
}

/// Where the next byte is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Place {
    /// In a head.
    #[default]
    Head,
    /// In a body: so many bytes are left.
    Body(u64),
    /// In the line that begins a chunk: its size so far, and whether the digits have ended.
    Size(u64, bool),
    /// In a chunk: so many bytes are left, the line end after it included.
    Chunk(u64),
    /// After the last chunk: so many bytes of the line have been read.
    Trailers(u64),
    /// What follows is not HTTP/1.1, or is refused by hyper.
    Unknown,
}

#[derive(Default)]
struct Scan {
    place: Place,
    /// The beginning of the current line of a head.
    line: Vec<u8>,
    /// What the head has said so far.
    length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
}

/// Enough for each of the names and a length.
const LONGEST: usize = 64;

impl Scan {
    fn read(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let used = match self.place {
                Place::Unknown => return,
                Place::Body(left) => self.skip(left, bytes.len(), Place::Body, Place::Head),
                Place::Chunk(left) => self.skip(left, bytes.len(), Place::Chunk, Place::Size(0, false)),
                _ => {
                    self.byte(&mut bytes[0]);
                    1
                }
            };
            bytes = &mut bytes[used..];
        }
    }

    fn skip(&mut self, left: u64, there: usize, next: fn(u64) -> Place, end: Place) -> usize {
        let used = there.min(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - used as u64;
        self.place = if left == 0 { end } else { next(left) };
        used
    }

    fn byte(&mut self, byte: &mut u8) {
        match (self.place, *byte) {
            (Place::Head, b'\n') => self.end_of_line(),
            (Place::Head, b':') => self.end_of_name(byte),
            (Place::Head, _) if self.line.len() < LONGEST => self.line.push(*byte),
            (Place::Head, _) if starts_with(&self.line, "content-length:") => {
                // padded so that its end is out of sight: no length is written so
                *byte = 0;
                self.place = Place::Unknown;
            }
            (Place::Size(size, _), b'\n') => {
                self.place = if size == 0 { Place::Trailers(0) } else { Place::Chunk(size.saturating_add(2)) };
            }
            (Place::Size(size, false), digit) if digit.is_ascii_hexdigit() => {
                let digit = (digit as char).to_digit(16).unwrap_or_default();
                self.place = Place::Size(size.saturating_mul(16).saturating_add(digit.into()), false);
            }
            (Place::Size(size, _), _) => self.place = Place::Size(size, true),
            (Place::Trailers(0), b'\n') => self.place = Place::Head,
            (Place::Trailers(_), b'\n') => self.place = Place::Trailers(0),
            (Place::Trailers(_), b'\r') => {}
            (Place::Trailers(read), _) => self.place = Place::Trailers(read.saturating_add(1)),
            _ => {}
        }
    }

    /// Refuses the second of the two headers.
    fn end_of_name(&mut self, colon: &mut u8) {
        if self.line.len() < LONGEST {
            self.line.push(b':');
        }
        let is_length = self.line.eq_ignore_ascii_case(b"content-length:");
        let is_coding = self.line.eq_ignore_ascii_case(b"transfer-encoding:");
        if is_length && self.is_chunked || is_coding && self.length.is_some() {
            *colon = 0;
            self.place = Place::Unknown;
        }
        self.is_chunked |= is_coding;
        if is_length {
            self.length = Some(self.length.unwrap_or(0));
        }
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii();
        if let Some((name, value)) = line.split_at_checked(15)
            && name.eq_ignore_ascii_case(b"content-length:")
        {
            let digits = str::from_utf8(value.trim_ascii()).ok().and_then(|digits| digits.parse().ok());
            self.length = digits.or(self.length);
        }
        // The only upgrade that is forwarded
        self.is_upgrade |= starts_with(line, "upgrade:") && line.to_ascii_lowercase().ends_with(b"websocket");
        if !line.is_empty() {
            return;
        }
        self.place = match (self.is_upgrade, self.is_chunked, self.length) {
            // Accepted or not is the upstream's choice
            (true, ..) => Place::Unknown,
            (_, true, _) => Place::Size(0, false),
            (_, _, Some(length)) if length > 0 => Place::Body(length),
            _ => Place::Head,
        };
        (self.length, self.is_chunked, self.is_upgrade) = (None, false, false);
    }
}

fn starts_with(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.scan.read(&mut buffer.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "POST / HTTP/1.1\r\ncontent-length: 1\r\nTRANSFER-ENCODING: chunked\r\n\r\n";

    /// Whole, and byte by byte.
    fn is_refused(text: &str) -> bool {
        let outcomes = [text.len(), 1, 7].map(|size| {
            let mut bytes = text.as_bytes().to_vec();
            let mut scan = Scan::default();
            bytes.chunks_mut(size).for_each(|chunk| scan.read(chunk));
            bytes != text.as_bytes()
        });
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "it depends on how the bytes arrive: {text}");
        outcomes[0]
    }

    #[test]
    fn both_headers_in_one_head_are_refused() {
        let table = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "transfer-encoding:chunked\r\nX: y\r\nCONTENT-LENGTH:0",
            "Content-Length: 0\nTransfer-Encoding: identity",
        ];
        for lines in table {
            assert!(is_refused(&format!("POST /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n")), "{lines}");
        }
    }

    #[test]
    fn bodies_are_no_heads_and_the_next_head_is_found() {
        let part = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc";
        let (length, size) = (part.len(), part.len());
        let table = [
            format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{part}"),
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{size:x};a=b\r\n{part}\r\n0\r\n\r\n"),
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{size:X}\r\n{part}\r\n0\r\nX-A: b\r\n\r\n"),
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_owned(),
        ];
        for first in table {
            assert!(!is_refused(&first), "{first}");
            assert!(is_refused(&(first.clone() + NEXT)), "after {first}");
        }
    }

    #[test]
    fn no_padding_hides_a_length_and_no_other_upgrade_the_next_head() {
        for padding in [" ".repeat(60), "0".repeat(60)] {
            assert!(is_refused(&format!("POST / HTTP/1.1\r\nContent-Length:{padding}5\r\n\r\nabcde")), "{padding}");
        }
        assert!(is_refused(&format!("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n{NEXT}")));
    }

    #[test]
    fn bytes_after_an_upgrade_are_nobodys_concern() {
        assert!(!is_refused(&format!("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n{NEXT}")));
    }
}
