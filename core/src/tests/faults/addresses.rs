//! Plain http stays on this machine unless `allow_http` says otherwise; what counts is the address dialled.

use std::net::UdpSocket;

use super::{
    Expected::{Failure, Keys},
    source::{Source, refusing},
    *,
};
use crate::LastErrorCode::{Connect, Dns, Refused};

/// What a host or `connect_to` is followed by.
fn at(host: &str, port: u16) -> String {
    format!("{host}:{port}")
}

#[test]
fn plain_http_is_refused_before_it_leaves_this_machine() {
    child::alone(|| {
        // the listener is on loopback, but Linux also reaches it by 0.0.0.0, which is not a loopback address; a
        // system's resolver knows `0` as a name of that, and `127.1` as one of 127.0.0.1
        let refused = || Failure(Refused, &["plain http", "is not loopback", "https", "allow_http"]);
        let rows = [
            ("http to 127.0.0.1", "127.0.0.1", None, false, Keys),
            ("http to localhost", "localhost", None, false, Keys),
            ("http to a name of loopback", "127.1", None, false, Keys),
            ("http to 0.0.0.0", "0.0.0.0", None, false, refused()),
            ("http to 0.0.0.0, allowed", "0.0.0.0", None, true, Keys),
            ("http to a name of 0.0.0.0", "0", None, false, refused()),
            ("http to a name of 0.0.0.0, allowed", "0", None, true, Keys),
            ("http to loopback in IPv6's clothes", "[::ffff:127.0.0.1]", None, false, refused()),
            ("http to 192.0.2.1", "192.0.2.1", None, false, refused()),
            ("http to link-local", "169.254.169.254", None, false, refused()),
            ("http by connect_to loopback", "192.0.2.1", Some("127.0.0.1"), false, Keys),
            ("http by connect_to a name of loopback", "keys.example.test", Some("localhost"), false, Keys),
            ("http by connect_to 0.0.0.0", "127.0.0.1", Some("0.0.0.0"), false, refused()),
            ("http by connect_to a name of 0.0.0.0", "localhost", Some("0"), false, refused()),
            ("http by connect_to 0.0.0.0, allowed", "127.0.0.1", Some("0.0.0.0"), true, Keys),
        ];
        let start = |(name, host, connect_to, allow_http, expected): (_, &str, Option<&str>, _, _)| {
            let source = Source::start(|peer| peer.serve());
            let mut options = options(source.url(host));
            options.connect_to = connect_to.map(|host| at(host, source.port()));
            options.allow_http = Some(allow_http);
            (source, Case::new(name, options, expected))
        };
        let (sources, cases): (Vec<_>, Vec<_>) = rows.into_iter().map(start).unzip();
        let reached: Vec<bool> = cases.iter().map(|case| matches!(case.expected, Keys)).collect();
        judge(cases);
        for (source, reached) in sources.iter().zip(reached) {
            assert_eq!(source.connections() > 0, reached, "a refused address is not dialled");
        }
    });
}

/// Where this machine has an address of its own in a network.
#[test]
fn the_machines_own_address_in_its_network_is_not_loopback() {
    child::alone(|| {
        let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        let outside = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr()); // sends nothing
        let own = outside.map_or("0.0.0.0".to_owned(), |address| address.ip().to_string());
        let verifier = Verifier::new(options(format!("http://{own}/keys"))).expect("options");
        let error = verifier.verify(token()).expect_err("refused");
        assert!(error.message().contains(&format!("{own} is not loopback")), "{error}");
    });
}

#[test]
fn connect_to_is_named_where_it_is_wrong() {
    child::alone(|| {
        let (_taken, port) = refusing();
        let by = |connect_to: String| {
            let mut options = options("https://keys.example.test/keys".to_owned());
            options.connect_to = Some(connect_to);
            options
        };
        let refused = Failure(Connect, &["refused", "no connection to 127.0.0.1:", "see connect_to"]);
        let unknown = Failure(Dns, &["keys.invalid:443 (by connect_to)", "see connect_to"]);
        judge(vec![
            Case::new("connect_to refuses", by(at("127.0.0.1", port)), refused),
            Case::new("connect_to is an unknown name", by(at("keys.invalid", 443)), unknown),
        ]);
    });
}
