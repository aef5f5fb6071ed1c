//! The environment's proxies, each case in a child with an environment of its own.

use super::{
    source::{Source, refusing},
    tls::{Authority, HOST},
    *,
};

/// One fetch with a proxy nearby.
struct Row {
    name: &'static str,
    /// `PROXY` is replaced by the proxy's address.
    environment: &'static [(&'static str, &'static str)],
    url: &'static str,
    connect_to: bool,
    /// What the proxy does once it has read the CONNECT.
    proxy: fn(&mut Peer, u16) -> &mut Peer,
    /// `last_error`'s code, empty for keys, and parts of its message.
    expected: (&'static str, &'static [&'static str]),
    /// What the proxy is asked for; none if it is not asked.
    asked: Option<&'static str>,
}

const DIRECT: Row = Row {
    name: "",
    environment: &[],
    url: "https://127.0.0.1:PORT/keys",
    connect_to: false,
    proxy: connect,
    expected: ("", &[]),
    asked: None,
};

const PROXIED: Row = Row {
    environment: &[("HTTPS_PROXY", "http://PROXY")],
    url: "https://keys.example.test/keys",
    asked: Some("CONNECT keys.example.test:443 HTTP/1.1"),
    ..DIRECT
};

/// A proxy that does its work.
fn connect(peer: &mut Peer, target: u16) -> &mut Peer {
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n").tunnel(target)
}

/// The values that a row leaves out.
fn rows() -> Vec<Row> {
    const UNUSED: &[(&str, &str)] = &[("HTTP_PROXY", "http://PROXY"), ("http_proxy", "http://PROXY")];
    const USED: &[(&str, &str)] = &[("HTTPS_PROXY", "http://PROXY"), ("ALL_PROXY", "http://PROXY")];
    let own = "https://0.0.0.0:PORT/keys"; // the listener's, and no address of loopback
    let exempt = |name, environment| Row { name, environment, url: own, ..DIRECT };
    let by = |name, environment| Row { name, environment, ..PROXIED };
    let broken = |name, proxy, expected| Row { name, proxy, expected, ..PROXIED };
    let useless = |name, environment, expected| Row { name, environment, expected, asked: None, ..PROXIED };
    vec![
        Row { name: "HTTP_PROXY, plain http", environment: UNUSED, url: "http://0.0.0.0:PORT/keys", ..DIRECT },
        Row { name: "HTTP_PROXY, https", environment: UNUSED, url: own, ..DIRECT },
        Row { name: "HTTPS_PROXY, plain http", environment: USED, url: "http://0.0.0.0:PORT/keys", ..DIRECT },
        Row { name: "HTTPS_PROXY, 127.0.0.1", environment: USED, ..DIRECT },
        Row { name: "HTTPS_PROXY, localhost", environment: USED, url: "https://localhost:PORT/keys", ..DIRECT },
        Row { name: "HTTPS_PROXY, connect_to", environment: USED, connect_to: true, url: PROXIED.url, ..DIRECT },
        exempt("NO_PROXY", &[("HTTPS_PROXY", "http://PROXY"), ("NO_PROXY", "example.test,0.0.0.0")]),
        exempt("no_proxy", &[("HTTPS_PROXY", "http://PROXY"), ("no_proxy", "*")]),
        Row { name: "HTTPS_PROXY, an address", url: own, asked: Some("CONNECT 0.0.0.0:PORT HTTP/1.1"), ..PROXIED },
        by("HTTPS_PROXY", &[("HTTPS_PROXY", "http://PROXY"), ("NO_PROXY", "other.test")]),
        by("https_proxy", &[("https_proxy", "http://PROXY"), ("HTTPS_PROXY", "")]),
        by("ALL_PROXY", &[("ALL_PROXY", "http://PROXY")]),
        by("all_proxy, without a scheme", &[("all_proxy", "PROXY")]),
        by("HTTPS_PROXY before ALL_PROXY", &[("HTTPS_PROXY", "http://PROXY"), ("ALL_PROXY", "http://127.0.0.1:1")]),
        by("a proxy with a password", &[("HTTPS_PROXY", "http://user:sesame@PROXY")]),
        by("a proxy with TLS", &[("HTTPS_PROXY", "https://localhost:PROXYPORT")]),
        by("a proxy by its name", &[("HTTPS_PROXY", "http://localhost:PROXYPORT")]),
        broken(
            "407",
            |peer, _| peer.answer("407 Proxy Authentication Required", "", ""),
            ("connect", &["407", "HTTPS_PROXY", "NO_PROXY"]),
        ),
        broken("a proxy that closes", |peer, _| peer, ("connect", &["HTTPS_PROXY", "NO_PROXY"])),
        broken("a proxy that resets", |peer, _| peer.reset(), ("connect", &["HTTPS_PROXY", "NO_PROXY"])),
        broken("a proxy that hangs", |peer, _| peer.hang(), ("timeout", &["within 3 s", "timeout"])),
        broken(
            "a proxy that drips",
            |peer, _| peer.drip("HTTP/1.1 200 OK\r\nX-Slow: ").drip([b'x'; 9999]),
            ("timeout", &["within 3 s", "timeout"]),
        ),
        broken(
            "a proxy that answers itself",
            |peer, _| peer.send("HTTP/1.1 200 OK\r\n\r\n").ok(&good_keys()).hang(),
            ("tls", &["does not speak TLS"]),
        ),
        useless(
            "a proxy that refuses",
            &[("HTTPS_PROXY", "http://REFUSING")],
            ("connect", &["refused", "(by HTTPS_PROXY)", "NO_PROXY"]),
        ),
        useless(
            "a proxy of an unknown name",
            &[("ALL_PROXY", "http://proxy.invalid:8080")],
            ("dns", &["proxy.invalid:8080 (by ALL_PROXY)", "NO_PROXY"]),
        ),
        useless(
            "a SOCKS proxy",
            &[("ALL_PROXY", "socks5://user:sesame@PROXY")],
            ("connect", &["ALL_PROXY", "http or https proxy", "NO_PROXY"]),
        ),
        useless(
            "no proxy's address",
            &[("HTTPS_PROXY", "::sesame")],
            ("connect", &["HTTPS_PROXY", "http or https proxy", "NO_PROXY"]),
        ),
    ]
}

#[test]
fn proxies_are_used_for_https_alone_and_named_where_they_fail() {
    if child::is_fetching() {
        return;
    }
    let test = child::name_of(&|| ());
    let authority = Authority::new();
    let wrong: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = rows().into_iter().map(|row| scope.spawn(|| row.judge(test, &authority))).collect();
        running.into_iter().flat_map(|row| row.join().expect("a row does not panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Row {
    /// What is wrong.
    fn judge(self, test: &str, authority: &Authority) -> Vec<String> {
        let plain = self.url.starts_with("http:");
        let certificate = || authority.server(&[HOST, "localhost", "127.0.0.1", "0.0.0.0"]);
        let source = match plain {
            true => Source::start(|peer| peer.serve()),
            false => Source::start_tls(certificate(), |peer| peer.serve()),
        };
        let (port, behaviour) = (source.port(), self.proxy);
        let secure = self.environment.iter().any(|(_, value)| value.starts_with("https:"));
        let proxy = match secure {
            true => Source::start_tls(certificate(), move |peer| behaviour(peer.asked(), port)),
            false => Source::start(move |peer| behaviour(peer.asked(), port)),
        };
        let (_taken, refusing) = refusing();
        let fill = |text: &str| {
            text.replace("PROXYPORT", &proxy.port().to_string())
                .replace("PROXY", &format!("127.0.0.1:{}", proxy.port()))
                .replace("REFUSING", &format!("127.0.0.1:{refusing}"))
                .replace("PORT", &port.to_string())
        };
        let mut options = options(fill(self.url));
        options.allow_http = Some(true);
        options.ca_pem = Some(authority.pem());
        options.connect_to = self.connect_to.then(|| format!("127.0.0.1:{port}"));
        if self.expected.0 == "timeout" {
            options.timeout = Some(SHORT);
        }
        let environment: Vec<(&str, String)> =
            self.environment.iter().map(|(name, value)| (*name, fill(value))).collect();
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let fetch = child::fetch(test, &options, &environment);

        let (code, message) = fetch.error();
        println!("{:<32} {code:<8} {:>5.2} s  {message}", self.name, fetch.seconds);
        let mut wrong = Vec::new();
        let mut complain = |what: String| wrong.push(format!("{}: {what}", self.name));
        if code != self.expected.0 || self.expected.1.iter().any(|part| !message.contains(part)) {
            complain(format!("{code:?} {message}, expected {:?}", self.expected));
        }
        if message.contains("sesame") {
            complain(format!("the message holds the variable's value: {message}"));
        }
        if fetch.seconds > (options.timeout.unwrap_or_default() + PATIENCE).as_secs_f64() {
            complain(format!("took {} s", fetch.seconds));
        }
        let asked = proxy.requests().first().and_then(|request| Some(request.lines().next()?.to_owned()));
        if asked != self.asked.map(fill) {
            complain(format!("the proxy was asked {asked:?}, expected {:?}", self.asked));
        }
        let request = proxy.requests().concat();
        let password = self.environment.iter().any(|(_, value)| value.contains("user:sesame@")) && asked.is_some();
        if password != request.contains("\r\nProxy-Authorization: Basic dXNlcjpzZXNhbWU=\r\n") {
            complain(format!("the proxy's password was not sent, or without need: {request}"));
        }
        let reached = source.connections() > 0;
        if reached != code.is_empty() {
            complain(format!("the source was reached: {reached}"));
        }
        wrong
    }
}
