//! What a server's certificate says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio_rustls::rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName},
    server::ParsedCertificate,
};
use x509_cert::{
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// The parts of a certificate that decide whether it is the right one.
pub(super) struct Certificate {
    /// DNS names and addresses, in its order.
    pub(super) names: Vec<String>,
    /// `CN=...`: who signed it.
    pub(super) issuer: String,
    pub(super) is_self_signed: bool,
    /// In Unix seconds.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// Whether it is for the host asked for.
    pub(super) fits: bool,
}

impl Certificate {
    /// None if it cannot be read.
    pub(super) fn read(der: &CertificateDer<'_>, host: &str) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let content = certificate.tbs_certificate();
        let names = content.get_extension::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0);
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Some(Self {
            names: names.unwrap_or_default().iter().filter_map(name).collect(),
            issuer: content.issuer().to_string(),
            is_self_signed: content.issuer() == content.subject(),
            not_before: seconds(content.validity().not_before),
            not_after: seconds(content.validity().not_after),
            fits: fits(der, host),
        })
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv4Addr::from(bytes)));
            let sixteen = <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)));
            four.or(sixteen).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

fn fits(der: &CertificateDer<'_>, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let parsed = ParsedCertificate::try_from(der);
    let name = ServerName::try_from(host);
    parsed.is_ok_and(|parsed| name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok()))
}
