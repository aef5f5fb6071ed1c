//! Hosts and authorities, as URLs have them.

/// One or more labels joined by dots.
pub(crate) fn is_labels(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

/// A host name in ASCII, perhaps fully qualified with a dot at its end.
pub(crate) fn is_host(text: &str) -> bool {
    text.len() <= 255 && is_labels(text.strip_suffix('.').unwrap_or(text))
}

/// `host` or `host:port`.
pub(crate) fn is_authority(text: &str) -> bool {
    match text.split_once(':') {
        None => is_host(text),
        Some((host, port)) => is_host(host) && is_port(port),
    }
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}
