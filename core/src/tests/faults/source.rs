//! A key source that can do everything wrong, because it is not an HTTP server: a listener, a thread for each connection,
//! and a function that reads and writes as it likes.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use pomerium_jwt_issuer::{SigningKey, key_set};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

/// As much as a flood sends at most.
const GIB: usize = 1 << 30;

/// The key that signs in these tests.
pub(super) fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(SigningKey::generate)
}

/// The key set that a good source serves.
pub(super) fn good_keys() -> String {
    key_set([key()])
}

/// What the source does with a connection; it ends when this returns.
pub(super) type Behaviour = Arc<dyn Fn(&mut Peer) -> &mut Peer + Send + Sync>;

/// A listener on loopback. Dropping it ends its thread and all connections.
pub(super) struct Source {
    address: SocketAddr,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

/// What the source has met so far.
#[derive(Default)]
struct Seen {
    stopped: AtomicBool,
    connections: AtomicU64,
    written: AtomicU64,
    requests: Mutex<Vec<String>>,
    names: Mutex<Vec<Option<String>>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Source {
    pub(super) fn start(behaviour: impl Fn(&mut Peer) -> &mut Peer + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(behaviour))
    }

    pub(super) fn start_tls(
        tls: ServerConfig,
        behaviour: impl Fn(&mut Peer) -> &mut Peer + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(Arc::new(tls)), Arc::new(behaviour))
    }

    pub(super) fn serve(tls: Option<Arc<ServerConfig>>, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                lock(&shared.open).extend(stream.try_clone());
                let (shared, tls, behaviour) = (shared.clone(), tls.clone(), behaviour.clone());
                thread::spawn(move || {
                    let Some(mut peer) = Peer::accept(stream, tls, shared) else { return };
                    behaviour(&mut peer);
                    peer.close();
                });
            }
        });
        Self { address, seen, thread: Some(thread) }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://HOST:PORT/keys`
    pub(super) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/keys", self.port())
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How many bytes the kernel took.
    pub(super) fn written(&self) -> u64 {
        self.seen.written.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        lock(&self.seen.requests).clone()
    }

    /// The names that were asked for in TLS.
    pub(super) fn names(&self) -> Vec<Option<String>> {
        lock(&self.seen.names).clone()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.seen.stopped.store(true, Ordering::SeqCst);
        for stream in lock(&self.seen.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = TcpStream::connect(self.address); // the accepting thread sees that it is over
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What goes over a connection; the handshake comes with the first read or write.
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// One connection of the client's.
pub(super) struct Peer {
    stream: Stream,
    tcp: TcpStream,
    seen: Arc<Seen>,
    reset: bool,
}

impl Peer {
    fn accept(tcp: TcpStream, tls: Option<Arc<ServerConfig>>, seen: Arc<Seen>) -> Option<Self> {
        let stream = tcp.try_clone().ok()?;
        let stream = match tls {
            Some(config) => Stream::Tls(Box::new(StreamOwned::new(ServerConnection::new(config).ok()?, stream))),
            None => Stream::Plain(stream),
        };
        Some(Self { stream, tcp, seen, reset: false })
    }

    /// The head of a request, to its empty line; less if the client goes away.
    pub(super) fn request(&mut self) -> String {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && matches!(self.stream.read(&mut byte), Ok(1)) {
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        lock(&self.seen.requests).push(head.clone());
        if let Stream::Tls(stream) = &self.stream {
            lock(&self.seen.names).push(stream.conn.server_name().map(str::to_owned));
        }
        head
    }

    /// Waits for the request.
    pub(super) fn asked(&mut self) -> &mut Self {
        self.request();
        self
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.write(bytes.as_ref());
        self
    }

    /// Whether the client was still there.
    fn write(&mut self, bytes: &[u8]) -> bool {
        let sent = self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok();
        if sent {
            self.seen.written.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        }
        sent
    }

    /// The same again and again, until the client goes away or a GiB is sent.
    pub(super) fn flood(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        let mut left = GIB / bytes.len();
        while left > 0 && self.write(bytes) {
            left -= 1;
        }
        self
    }

    /// One byte after the other with a pause between them, until the client goes away.
    pub(super) fn drip(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        for byte in bytes.as_ref() {
            if !self.write(&[*byte]) {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        self
    }

    /// A whole answer: `headers` are lines with their ends.
    pub(super) fn answer(&mut self, status: &str, headers: &str, body: &str) -> &mut Self {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        self.send(head + body)
    }

    /// 200 with this body.
    pub(super) fn ok(&mut self, body: &str) -> &mut Self {
        self.answer("200 OK", "Content-Type: application/json\r\n", body)
    }

    /// Reads the request and brings the good keys.
    pub(super) fn serve(&mut self) -> &mut Self {
        self.asked().ok(&good_keys())
    }

    /// Nothing more, until the client or the test goes away.
    pub(super) fn hang(&mut self) -> &mut Self {
        let _ = io::copy(&mut self.stream, &mut io::sink());
        self
    }

    /// As `hang`, below TLS: its handshake does not continue either.
    pub(super) fn freeze(&mut self) -> &mut Self {
        let _ = io::copy(&mut self.tcp, &mut io::sink());
        self
    }

    /// TCP's RST instead of an end.
    pub(super) fn reset(&mut self) -> &mut Self {
        self.reset = true;
        let _ = SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
        // the last one to close sends it, so nobody else may hold the connection
        lock(&self.seen.open).retain(|stream| stream.peer_addr().ok() != self.tcp.peer_addr().ok());
        self
    }

    fn close(&mut self) {
        if !self.reset {
            let _ = self.tcp.shutdown(Shutdown::Write);
        }
    }

    /// A tunnel to this port of loopback, as a proxy makes it.
    pub(super) fn tunnel(&mut self, port: u16) -> &mut Self {
        let Ok(mut target) = TcpStream::connect(("127.0.0.1", port)) else { return self };
        for socket in [&self.tcp, &target] {
            let _ = socket.set_read_timeout(Some(Duration::from_millis(2)));
        }
        while pass_on(&mut self.stream, &mut target) && pass_on(&mut target, &mut self.stream) {}
        self
    }
}

/// What has come, if anything. False at the end.
fn pass_on(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

/// A port of loopback that is taken and not listened at.
pub(super) fn refusing() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    socket.bind(&any.into()).expect("a free port");
    let port = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("bound").port();
    (socket, port)
}

/// A listener whose queue is full: the kernel ignores new connections, as a firewall would.
pub(super) struct FullQueue {
    pub(super) port: u16,
    _listener: Socket,
    _waiting: Vec<Socket>,
}

impl FullQueue {
    pub(super) fn new() -> Self {
        let (listener, port) = refusing();
        listener.listen(0).expect("listens");
        let address = listener.local_addr().expect("bound");
        let connect = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_nonblocking(true).expect("a mode");
            let _ = socket.connect(&address); // those that find no place keep trying
            socket
        };
        Self { port, _waiting: (0..4).map(connect).collect(), _listener: listener }
    }
}
