//! What is answered here, in Pomerium's place, and what goes to the application with a token.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::Incoming,
    header::{
        ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION,
        REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    },
};
use pomerium_jwt_issuer::{Assertion, KEY_SET_PATH, SigningKey, key_set, random_id};
use serde_json::json;

use super::{
    origin::{inside, is_of_another_site, is_own, is_same_origin},
    page,
    sessions::{Sessions, SignedIn},
    users::Users,
};
use crate::{
    proxy::{self, Body, Upstream, ambiguous, full},
    times,
};

/// Tokens are for this host and no other, so that none fits an application in production.
const TOKEN_HOST: &str = "localhost";

const ASSERTION: HeaderName = HeaderName::from_static("x-pomerium-jwt-assertion");

/// Where to go afterwards, as Pomerium calls it.
const THEN: &str = "pomerium_redirect_uri";

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// The form has two short fields.
const LONGEST_FORM: usize = 16 * 1024;

pub(super) struct Settings {
    pub(super) upstream: Upstream,
    pub(super) users: Users,
    /// Hosts to answer for, besides those of this machine.
    pub(super) hosts: Vec<String>,
    pub(super) jwt_endpoint: bool,
    pub(super) session_time: Option<Duration>,
}

pub(super) struct Site {
    settings: Settings,
    /// `http://localhost:8443`
    route: String,
    key: SigningKey,
    sessions: Mutex<Sessions>,
}

impl Site {
    /// With a new key, which is never written anywhere.
    pub(super) fn new(settings: Settings, port: u16) -> Self {
        let sessions = Sessions::new(port, settings.session_time, settings.users.first);
        Self {
            settings,
            route: format!("http://{TOKEN_HOST}:{port}"),
            key: SigningKey::generate(),
            sessions: Mutex::new(sessions),
        }
    }

    /// The application's POMERIUM_JWT_ROUTE.
    pub(super) fn route(&self) -> &str {
        &self.route
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if let Some(refusal) = ambiguous(&request) {
            return refusal;
        }
        let Some(authority) = self.own_authority(&request) else {
            let text = "pomerium-jwt dev answers for localhost and the names of --host only\n";
            return respond(StatusCode::MISDIRECTED_REQUEST, "text/plain; charset=utf-8", text);
        };
        let path = request.uri().path();
        if path.starts_with("/.pomerium/") || path == "/.pomerium" {
            return self.answer_here(request, &authority).await;
        }
        if path == "/.well-known/pomerium" || path.starts_with("/.well-known/pomerium/") {
            return self.well_known(&request);
        }
        match self.signed_in(&request, &authority) {
            Some(signed_in) => self.forward(request, &signed_in).await,
            None => sign_in_first(request.headers(), target(request.uri())),
        }
    }

    /// The host and port that the client asked for, if we answer for it: a page of another site that has its own name
    /// point to this machine (DNS rebinding) asks for that name.
    fn own_authority(&self, request: &Request<Incoming>) -> Option<String> {
        let header = request.headers().get(HOST).map(|host| host.to_str().ok());
        let target = request.uri().authority().map(|authority| Some(authority.as_str()));
        let asked: Vec<Option<&str>> = header.into_iter().chain(target).collect();
        let is_own = |asked: &Option<&str>| asked.is_some_and(|authority| is_own(authority, &self.settings.hosts));
        if asked.is_empty() || !asked.iter().all(is_own) {
            return None;
        }
        asked.last().copied().flatten().map(str::to_owned)
    }

    /// The addresses below `/.pomerium`: none of them reaches the application.
    async fn answer_here(&self, request: Request<Incoming>, authority: &str) -> Response<Body> {
        let (method, path) = (request.method(), request.uri().path());
        let then = query(request.uri(), THEN);
        let then = then.as_deref().and_then(|then| inside(then, authority)).unwrap_or("/").to_owned();
        match (method, path) {
            (&Method::GET, "/.pomerium") => redirect(page::PATH),
            (&Method::GET, page::PATH) => self.page(&request, authority, &then),
            (&Method::POST, page::PATH) => self.switch(request, authority).await,
            (&Method::GET, page::STYLE_PATH) => respond(StatusCode::OK, "text/css; charset=utf-8", page::STYLE),
            (&Method::GET, "/.pomerium/sign_in") => redirect(&page_for(&then)),
            (&Method::GET | &Method::POST, "/.pomerium/sign_out") => self.sign_out(&request, authority),
            (&Method::GET, "/.pomerium/user") => match self.signed_in(&request, authority) {
                Some(signed_in) => respond(StatusCode::OK, JSON, self.assertion(&signed_in).to_json()),
                None => sign_in_first(request.headers(), "/"),
            },
            (&Method::GET, "/.pomerium/jwt") if self.settings.jwt_endpoint => {
                match self.signed_in(&request, authority) {
                    Some(signed_in) => respond(StatusCode::OK, "application/jwt", self.token(&signed_in)),
                    None => sign_in_first(request.headers(), "/"),
                }
            }
            _ => not_found(),
        }
    }

    fn page(&self, request: &Request<Incoming>, authority: &str, then: &str) -> Response<Body> {
        let user = self.signed_in(request, authority).map(|signed_in| signed_in.user);
        respond(StatusCode::OK, HTML, page::render(&self.settings.users.list, user, then))
    }

    /// Signs another user in, or out. A page of another site must not be able to.
    async fn switch(&self, request: Request<Incoming>, authority: &str) -> Response<Body> {
        if !is_same_origin(request.headers(), authority) {
            let text = "Only a page of this address may switch the user: the request needs Sec-Fetch-Site: same-origin, \
                        or this address as its Origin\n";
            return respond(StatusCode::FORBIDDEN, "text/plain; charset=utf-8", text);
        }
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LONGEST_FORM).collect().await else { return bad_form() };
        let body = body.to_bytes();
        let field = |wanted: &str| {
            let mut fields = form_urlencoded::parse(&body);
            fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let Some(email) = field("user") else { return bad_form() };
        let user = self.settings.users.list.iter().position(|user| user.email == email);
        if user.is_none() && !email.is_empty() {
            return bad_form();
        }
        let then = field(THEN);
        let then = then.as_deref().and_then(|then| inside(then, authority)).unwrap_or("/");
        let cookie = self.sessions().begin(&head.headers, user, Instant::now());
        // 303: the browser comes with GET
        with_cookie(see_other(if user.is_some() { then } else { page::PATH }), cookie)
    }

    /// As Pomerium, to GET and POST from anywhere. Without a good return address it leads to the page.
    fn sign_out(&self, request: &Request<Incoming>, authority: &str) -> Response<Body> {
        let then = query(request.uri(), THEN);
        let then = then.as_deref().and_then(|then| inside(then, authority)).unwrap_or(page::PATH);
        with_cookie(redirect(then), self.sessions().begin(request.headers(), None, Instant::now()))
    }

    fn well_known(&self, request: &Request<Incoming>) -> Response<Body> {
        let route = &self.route;
        match (request.method(), request.uri().path()) {
            (&Method::GET, KEY_SET_PATH) => {
                let mut keys = respond(StatusCode::OK, JSON, key_set([&self.key]));
                keys.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
                keys
            }
            (&Method::GET, "/.well-known/pomerium") => {
                let document = json!({
                    "issuer": format!("{route}/"),
                    "jwks_uri": format!("{route}{KEY_SET_PATH}"),
                    "frontchannel_logout_uri": format!("{route}/.pomerium/sign_out"),
                });
                respond(StatusCode::OK, JSON, document.to_string())
            }
            _ => not_found(),
        }
    }

    async fn forward(&self, request: Request<Incoming>, signed_in: &SignedIn) -> Response<Body> {
        let token = self.token(signed_in);
        // A browser that comes for the first time gets a session of its own, which ends
        let cookie = {
            let mut sessions = self.sessions();
            let is_new = is_page(&request) && !sessions.knows(request.headers());
            is_new.then(|| sessions.begin(request.headers(), Some(signed_in.user), Instant::now()))
        };
        let set = |headers: &mut HeaderMap| {
            strip(headers);
            self.sessions().hide(headers);
            headers.insert(ASSERTION, HeaderValue::from_str(&token).expect("a token is letters, digits, - _ and ."));
        };
        let response = self.settings.upstream.forward(request, set).await;
        match cookie {
            Some(cookie) => with_cookie(response, cookie),
            None => response,
        }
    }

    /// The user of a request. The first user needs no cookie, which would keep other sites' pages from using it (it is
    /// SameSite), so requests of theirs are nobody's without one.
    fn signed_in(&self, request: &Request<Incoming>, authority: &str) -> Option<SignedIn> {
        let sessions = self.sessions();
        // To a name other than this machine's a browser does not say which site a request is of, unless it is a page
        let is_told = is_own(authority, &[]) || is_page(request);
        let is_usable = sessions.knows(request.headers()) || (is_told && !is_of_another_site(request, authority));
        is_usable.then(|| sessions.find(request.headers(), Instant::now())).flatten()
    }

    fn token(&self, signed_in: &SignedIn) -> String {
        self.assertion(signed_in).mint(&self.key)
    }

    fn assertion(&self, signed_in: &SignedIn) -> Assertion {
        let now = times::now().unwrap_or_default();
        self.settings.users.list[signed_in.user].assertion(TOKEN_HOST, now, &signed_in.sid)
    }

    /// Never held across an await.
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes whatever an application could take for Pomerium's: `X-Pomerium-Jwt-Assertion`, claims, in any spelling.
fn strip(headers: &mut HeaderMap) {
    const PREFIX: &str = "x-pomerium-";
    let is_pomerium =
        |name: &&HeaderName| name.as_str().get(..PREFIX.len()).is_some_and(|begin| proxy::is_read_alike(begin, PREFIX));
    let found: Vec<HeaderName> = headers.keys().filter(is_pomerium).cloned().collect();
    found.iter().for_each(|name| drop(headers.remove(name)));
}

/// Pomerium's answer when nobody is signed in: 401 to a program that asks for JSON, the way to sign in to the rest.
fn sign_in_first(headers: &HeaderMap, then: &str) -> Response<Body> {
    if accepts(headers, "application/json") && !accepts(headers, "text/html") {
        let body = json!({ "error": "Unauthenticated", "request_id": random_id() });
        return respond(StatusCode::UNAUTHORIZED, JSON, body.to_string());
    }
    redirect(&page_for(then))
}

fn page_for(then: &str) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair(THEN, then).finish();
    format!("{}?{query}", page::PATH)
}

/// Whether a browser asks for a page, not for something on it.
fn is_page(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET && accepts(request.headers(), "text/html")
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut types = values.map(|entry| entry.split(';').next().unwrap_or_default().trim());
    types.any(|one| one.eq_ignore_ascii_case(media_type))
}

fn target(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

fn query(uri: &Uri, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

fn redirect(to: &str) -> Response<Body> {
    led(StatusCode::FOUND, to)
}

fn see_other(to: &str) -> Response<Body> {
    led(StatusCode::SEE_OTHER, to)
}

fn led(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = respond(status, "text/plain; charset=utf-8", "");
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response
}

fn bad_form() -> Response<Body> {
    respond(
        StatusCode::BAD_REQUEST,
        "text/plain; charset=utf-8",
        "The form needs user: an e-mail address of a user here\n",
    )
}

fn not_found() -> Response<Body> {
    respond(StatusCode::NOT_FOUND, HTML, "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>404 Not Found</h1>\n")
}

fn with_cookie(mut response: Response<Body>, cookie: HeaderValue) -> Response<Body> {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

fn respond(status: StatusCode, content_type: &'static str, text: impl Into<hyper::body::Bytes>) -> Response<Body> {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        // no-referrer would make a form's Origin null
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_client_looks_like_pomerium() {
        for name in [
            "x-pomerium-jwt-assertion",
            "x_pomerium_jwt_assertion",
            "X-Pomerium_Jwt.Assertion",
            "x-pomerium-jwt-assertion-for",
            "x.pomerium.claim.email",
            "x-pomerium-",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name.parse::<HeaderName>().expect("a name"), HeaderValue::from_static("mallory"));
            strip(&mut headers);
            assert!(headers.is_empty(), "{name}");
        }
        let mut headers = HeaderMap::new();
        for name in ["x-pomeriums", "x-forwarded-for", "y-x-pomerium-a"] {
            headers.insert(name, HeaderValue::from_static("kept"));
        }
        strip(&mut headers);
        assert_eq!(headers.len(), 3);
    }
}
