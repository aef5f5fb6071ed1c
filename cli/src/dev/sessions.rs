//! Who is signed in in which browser. In memory only: a restart signs everybody in as at the beginning.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use hyper::{
    HeaderMap,
    header::{COOKIE, HeaderValue},
};
use pomerium_jwt_issuer::random_id;

/// More browsers than a developer has; then the oldest session is forgotten.
const MOST: usize = 1_000;

/// A browser's session.
#[derive(Debug, Clone)]
struct Session {
    /// `sid` in the tokens. Not the cookie's id, which nobody but the browser may know.
    sid: String,
    /// The position of the user; none: signed out.
    user: Option<usize>,
    began: Instant,
}

/// The user of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) user: usize,
    pub(super) sid: String,
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    cookie: String,
    lifetime: Option<Duration>,
    by_id: HashMap<String, Session>,
    oldest_first: VecDeque<String>,
    /// Of clients without a cookie.
    default: Option<SignedIn>,
}

impl Sessions {
    /// Browsers do not tell ports of one host apart, so the cookie's name has the port. `first` is the user of a client
    /// without a session.
    pub(super) fn new(port: u16, lifetime: Option<Duration>, first: Option<usize>) -> Self {
        Self {
            cookie: format!("_pomerium_dev_{port}"),
            lifetime,
            by_id: HashMap::new(),
            oldest_first: VecDeque::new(),
            default: first.map(|user| SignedIn { user, sid: random_id() }),
        }
    }

    /// Who sent these headers. A session that has ended is nobody's; without one it is the first user.
    pub(super) fn find(&self, headers: &HeaderMap, now: Instant) -> Option<SignedIn> {
        let Some(session) = self.session(headers) else { return self.default.clone() };
        let has_ended = self.lifetime.is_some_and(|lifetime| now.saturating_duration_since(session.began) >= lifetime);
        let user = session.user.filter(|_| !has_ended)?;
        Some(SignedIn { user, sid: session.sid.clone() })
    }

    /// Whether the client has a session, ended or not.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        self.session(headers).is_some()
    }

    /// Begins a session of this user, or of nobody, instead of the client's: the value for Set-Cookie.
    pub(super) fn begin(&mut self, headers: &HeaderMap, user: Option<usize>, now: Instant) -> HeaderValue {
        if let Some(old) = self.id(headers).map(str::to_owned) {
            self.by_id.remove(&old);
            self.oldest_first.retain(|id| *id != old);
        }
        if self.by_id.len() >= MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        let id = random_id();
        self.by_id.insert(id.clone(), Session { sid: random_id(), user, began: now });
        self.oldest_first.push_back(id.clone());
        let cookie = format!("{}={id}; Path=/; HttpOnly; SameSite=Lax", self.cookie);
        HeaderValue::from_str(&cookie).expect("letters, digits and punctuation")
    }

    /// Takes the cookie out: the application gets its own cookies only, as from Pomerium.
    pub(super) fn hide(&self, headers: &mut HeaderMap) {
        let kept: Vec<HeaderValue> = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| {
                let others: Vec<&[u8]> = pairs(line).filter(|pair| self.value(pair).is_none()).collect();
                HeaderValue::from_bytes(&others.join(&b"; "[..])).ok().filter(|line| !line.is_empty())
            })
            .collect();
        headers.remove(COOKIE);
        for line in kept {
            headers.append(COOKIE, line);
        }
    }

    fn session(&self, headers: &HeaderMap) -> Option<&Session> {
        self.by_id.get(self.id(headers)?)
    }

    /// The id that the client sent, if it is one of ours.
    fn id<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let values = headers.get_all(COOKIE).iter().flat_map(pairs).filter_map(|pair| self.value(pair));
        values.filter_map(|value| std::str::from_utf8(value).ok()).find(|id| self.by_id.contains_key(*id))
    }

    /// The value, if the pair is our cookie.
    fn value<'p>(&self, pair: &'p [u8]) -> Option<&'p [u8]> {
        pair.strip_prefix(self.cookie.as_bytes())?.strip_prefix(b"=")
    }
}

fn pairs(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in cookies {
            headers.append(COOKIE, line.parse().expect("a cookie"));
        }
        headers
    }

    fn pair(set_cookie: &HeaderValue) -> String {
        let text = set_cookie.to_str().expect("ASCII");
        text.split(';').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn two_browsers_are_two_users() {
        let now = Instant::now();
        let mut sessions = Sessions::new(8443, None, Some(0));
        let nobody = sent(&[]);
        assert_eq!(sessions.find(&nobody, now).map(|found| found.user), Some(0));
        let first = sent(&["a=b", &format!("c=d; {}", pair(&sessions.begin(&nobody, Some(1), now)))]);
        let second = sent(&[&pair(&sessions.begin(&nobody, Some(2), now))]);
        let (one, two) = (sessions.find(&first, now), sessions.find(&second, now));
        assert_eq!(one.as_ref().map(|found| found.user), Some(1));
        assert_eq!(two.as_ref().map(|found| found.user), Some(2));
        assert_ne!(one.map(|found| found.sid), two.map(|found| found.sid));
        // signing out leaves nobody, not the first user
        let out = sent(&[&pair(&sessions.begin(&first, None, now))]);
        assert_eq!(sessions.find(&out, now), None);
        assert_eq!(sessions.find(&first, now).map(|found| found.user), Some(0), "the old id is worth nothing");
    }

    #[test]
    fn a_session_ends() {
        let now = Instant::now();
        let mut sessions = Sessions::new(8443, Some(Duration::from_secs(5)), Some(0));
        let browser = sent(&[&pair(&sessions.begin(&sent(&[]), Some(1), now))]);
        assert!(sessions.find(&browser, now + Duration::from_millis(4_999)).is_some());
        assert_eq!(sessions.find(&browser, now + Duration::from_secs(5)), None);
        assert!(sessions.knows(&browser));
        assert_eq!(sessions.find(&sent(&["_pomerium_dev_8443=made-up"]), now).map(|found| found.user), Some(0));
    }

    #[test]
    fn the_application_gets_its_own_cookies_only() {
        let sessions = Sessions::new(8443, None, None);
        let table: [(&[&str], &[&str]); 5] = [
            (&["_pomerium_dev_8443=x"], &[]),
            (&["a=b; _pomerium_dev_8443=x; c=d"], &["a=b; c=d"]),
            (&["a=b", "_pomerium_dev_8443=x", "c=d"], &["a=b", "c=d"]),
            (&["_pomerium_dev_84431=x; _pomerium_dev_8443"], &["_pomerium_dev_84431=x; _pomerium_dev_8443"]),
            (&["a=\"_pomerium_dev_8443=x\""], &["a=\"_pomerium_dev_8443=x\""]),
        ];
        for (lines, expected) in table {
            let mut headers = sent(lines);
            sessions.hide(&mut headers);
            let left: Vec<&str> = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).collect();
            assert_eq!(left, expected, "{lines:?}");
        }
    }

    #[test]
    fn sessions_do_not_fill_the_memory() {
        let now = Instant::now();
        let mut sessions = Sessions::new(8443, None, None);
        let first = sent(&[&pair(&sessions.begin(&sent(&[]), Some(0), now))]);
        for _ in 0..MOST {
            sessions.begin(&sent(&[]), Some(0), now);
        }
        assert_eq!((sessions.by_id.len(), sessions.oldest_first.len()), (MOST, MOST));
        assert!(!sessions.knows(&first));
    }
}
