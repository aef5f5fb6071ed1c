//! What went wrong, as somebody reads it at three in the morning: where it happened, why, and which option to change.

use std::{io, net::SocketAddr};

use super::{Client, dial::Refusal};
use crate::keys::{answer::Failure, state::LastErrorCode};

impl Client {
    /// A failure before the answer was there.
    pub(super) fn explain(&self, error: &ureq::Error) -> Failure {
        use ureq::Error::{ConnectProxyFailed, Io, Protocol, Rustls, Timeout, Tls};
        let url = &self.url;
        match error {
            Timeout(_) => self.too_slow(),
            Rustls(error) => self.explain_tls(error),
            Tls(error) => Failure::new(LastErrorCode::Tls, format!("{url}: {error}; see jwks_url")),
            ConnectProxyFailed(why) => {
                let (by, fix) = self.way();
                Failure::new(LastErrorCode::Connect, format!("{url}: no connection{by}: {why}; {fix}"))
            }
            Io(error) => self.explain_io(error),
            Protocol(_) if !self.is_https() => {
                let message =
                    format!("{url} did not answer in proper HTTP ({error}); does it want https? see jwks_url");
                Failure::new(LastErrorCode::Body, message)
            }
            other => {
                let message = format!("{url} did not answer in proper HTTP ({other}); see jwks_url");
                Failure::new(LastErrorCode::Body, message)
            }
        }
    }

    fn explain_io(&self, error: &io::Error) -> Failure {
        let inner = error.get_ref();
        if let Some(refusal) = inner.and_then(|inner| inner.downcast_ref::<Refusal>()) {
            return self.explain_refusal(refusal);
        }
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return self.explain_tls(error);
        }
        if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
            return self.too_slow();
        }
        let (by, fix) = self.way();
        let message = format!("{}: the connection{by} broke off: {error}; {fix}", self.url);
        Failure::new(LastErrorCode::Connect, message)
    }

    fn too_slow(&self) -> Failure {
        let (by, _) = self.way();
        let seconds = self.fetch.timeout.as_secs();
        let message = format!("{}{by} did not send its whole answer within {seconds} s; see timeout", self.url);
        Failure::new(LastErrorCode::Timeout, message)
    }

    fn explain_refusal(&self, refusal: &Refusal) -> Failure {
        let url = &self.url;
        let within = format!("within {} s", self.fetch.timeout.as_secs());
        let (by, fix) = self.way();
        let (code, what) = match refusal {
            Refusal::PlainHttp(address) => {
                let fix = "use https, or set allow_http if the network is yours";
                (LastErrorCode::Refused, format!("plain http, and {address}{by} is not loopback: {fix}"))
            }
            Refusal::Unresolved(target, Some(why)) => {
                (LastErrorCode::Dns, format!("{target}{by} could not be resolved: {why}; {fix}"))
            }
            Refusal::Unresolved(target, None) => {
                (LastErrorCode::Timeout, format!("{target}{by} could not be resolved {within}; {fix}, and timeout"))
            }
            Refusal::Unreached(addresses, Some(why)) => {
                (LastErrorCode::Connect, format!("no connection to {}{by}: {why}; {fix}", listed(addresses)))
            }
            Refusal::Unreached(addresses, None) => {
                let what = format!("no connection to {}{by} {within}", listed(addresses));
                (LastErrorCode::Timeout, format!("{what}: is a firewall in between? {fix}, and timeout"))
            }
            Refusal::Spawn(error) => {
                let fix = "raise this process's limit of threads";
                (LastErrorCode::Spawn, format!("no thread could be started to resolve its name: {error}; {fix}"))
            }
        };
        Failure::new(code, format!("{url}: {what}"))
    }

    /// What leads elsewhere than to the host of the address, if anything does, and what to change about it.
    fn way(&self) -> (String, &'static str) {
        if self.fetch.connect_to.is_some() {
            return (" (by connect_to)".to_owned(), "see connect_to");
        }
        match self.proxy() {
            Ok(Some((name, _))) => (format!(" (by {name})"), "correct that variable, or list the host in NO_PROXY"),
            _ => (String::new(), "see jwks_url and connect_to"),
        }
    }

    fn explain_tls(&self, error: &rustls::Error) -> Failure {
        use rustls::{
            AlertDescription::CertificateRequired,
            CertificateError as Reason,
            Error::{AlertReceived, InvalidCertificate, InvalidMessage},
        };
        let url = format!("{}{}", self.url, self.way().0);
        let message = match error {
            InvalidCertificate(Reason::UnknownIssuer) => {
                format!(
                    "{url}: the certificate is from an unknown CA; give a private CA in ca_file or ca_pem, or let the \
                     server send its whole chain"
                )
            }
            InvalidCertificate(Reason::NotValidForName | Reason::NotValidForNameContext { .. }) => {
                format!(
                    "{url}: the certificate is for another name; use the name it has and dial with connect_to ({error})"
                )
            }
            InvalidCertificate(Reason::Expired | Reason::ExpiredContext { .. }) => {
                format!("{url}: the certificate has expired, or this machine's clock is wrong ({error})")
            }
            InvalidCertificate(Reason::NotValidYet | Reason::NotValidYetContext { .. }) => {
                format!("{url}: the certificate is not valid yet, or this machine's clock is wrong ({error})")
            }
            InvalidCertificate(Reason::Other(_)) => {
                format!(
                    "{url}: the certificate cannot be one of a server ({error}); `openssl req -x509` makes a CA: sign \
                     a server certificate with it, and give the CA in ca_file"
                )
            }
            AlertReceived(CertificateRequired) => {
                format!(
                    "{url} asks for a client certificate, which is not supported: set jwks_url or connect_to to a \
                     server that does not"
                )
            }
            InvalidMessage(_) => format!("{url} does not speak TLS: is it plain http? see jwks_url ({error})"),
            other => format!("{url}: TLS failed: {other}; is it the right server? see jwks_url and connect_to"),
        };
        Failure::new(LastErrorCode::Tls, message)
    }
}

fn listed(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" and ")
}
