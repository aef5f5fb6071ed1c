//! The addresses of the server and what each answers.

use std::{
    error, fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http_body_util::{BodyExt as _, Channel, Either, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
};
use serde::{Deserialize, de::IntoDeserializer as _};
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::{Fault, Issuer, KEY_SET_PATH};
use crate::Assertion;

/// Where [`Fault::Redirect`] points to: a verifier that follows finds keys, which shows that it followed.
const REDIRECTED_PATH: &str = "/redirected/jwks.json";

const SERVER: &str = "pomerium-jwt issuer (not Pomerium)";

/// A claim set that is longer exceeds every limit between Pomerium and an application.
const LONGEST_BODY: usize = 1 << 20;

const NOT_FOUND: &str = "<!DOCTYPE html>
<title>404 Not Found</title>
<h1>404 Not Found</h1>
<p>This is the issuer of pomerium-jwt, not Pomerium. It answers:
<pre>
GET  /.well-known/pomerium/jwks.json
GET  /mint?sub=alice&amp;groups=admins,devs   POST /mint with a JSON object of claims
POST /rotate        ?step=append, swap or drop
POST /withdraw      ?keys=all
POST /fault?kind=   hang, slow, 500, garbage, huge, redirect, reset or none
GET  /stats
</pre>
";

pub(crate) type Body = Either<Full<Bytes>, Channel<Bytes>>;

type Answer = Response<Body>;

/// Instead of an answer: the connection is to be reset.
#[derive(Debug)]
pub(crate) struct Reset;

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fault in force is reset")
    }
}

impl error::Error for Reset {}

pub(crate) async fn answer(issuer: Arc<Mutex<Issuer>>, request: Request<Incoming>) -> Result<Answer, Reset> {
    let mut answer = match (request.method(), request.uri().path()) {
        (&Method::GET, KEY_SET_PATH) => fetch(&issuer, request.headers()).await?,
        (&Method::GET, REDIRECTED_PATH) => json(locked(&issuer).key_set()),
        (&Method::GET, "/stats") => stats(&locked(&issuer)),
        (&Method::GET, "/mint") => or_bad_request(mint_from_query(&locked(&issuer), query(&request))),
        (&Method::POST, "/mint") => or_bad_request(mint_from_body(&issuer, request.into_body()).await),
        (&Method::POST, "/rotate") => or_bad_request(rotate(&mut locked(&issuer), query(&request))),
        (&Method::POST, "/withdraw") => or_bad_request(withdraw(&mut locked(&issuer), query(&request))),
        (&Method::POST, "/fault") => or_bad_request(fault(&mut locked(&issuer), query(&request))),
        _ => page(StatusCode::NOT_FOUND, "text/html; charset=UTF-8", NOT_FOUND.to_owned()),
    };
    set(&mut answer, header::SERVER, SERVER);
    Ok(answer)
}

/// Never held across an await.
pub(crate) fn locked(issuer: &Mutex<Issuer>) -> MutexGuard<'_, Issuer> {
    issuer.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_secs().try_into().unwrap_or(i64::MAX)
}

async fn fetch(issuer: &Mutex<Issuer>, headers: &HeaderMap) -> Result<Answer, Reset> {
    let fault = {
        let mut issuer = locked(issuer);
        issuer.fetches += 1;
        issuer.fault
    };
    Ok(match fault {
        Fault::None => serve(&mut locked(issuer), headers),
        Fault::Hang => std::future::pending().await,
        Fault::Slow => slow(locked(issuer).key_set()),
        Fault::InternalServerError => {
            page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "bad signing key\n".to_owned())
        }
        Fault::Garbage => json("<!DOCTYPE html>\n<title>Sign in</title>\n".to_owned()),
        Fault::Huge => huge(),
        Fault::Redirect => {
            let mut answer = page(StatusCode::FOUND, "text/plain; charset=utf-8", String::new());
            set(&mut answer, header::LOCATION, REDIRECTED_PATH);
            answer
        }
        Fault::Reset => return Err(Reset),
    })
}

/// As Pomerium does (internal/handlers/jwks.go of v0.33), but for the compression that Envoy adds when asked.
fn serve(issuer: &mut Issuer, headers: &HeaderMap) -> Answer {
    let text = issuer.key_set();
    let tag = entity_tag(&text);
    let mut answer = json(text);
    if matches(headers, &tag) {
        issuer.not_modified += 1;
        answer = Response::new(Either::Left(Full::default()));
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    set(&mut answer, header::CACHE_CONTROL, &format!("max-age={}", issuer.max_age));
    set(&mut answer, header::ETAG, &tag);
    set(&mut answer, header::VARY, "Origin");
    if headers.contains_key(header::ORIGIN) {
        set(&mut answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    answer
}

/// FNV-1 of 64 bits in hex.
fn entity_tag(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(byte));
    format!("\"{hash:x}\"")
}

/// If-None-Match compares weakly (RFC 9110 section 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let Some(asked) = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else { return false };
    asked.split(',').map(str::trim).any(|asked| asked == "*" || asked.strip_prefix("W/").unwrap_or(asked) == tag)
}

fn slow(key_set: String) -> Answer {
    let length = key_set.len().to_string();
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        for byte in key_set.into_bytes() {
            sleep(Duration::from_secs(1)).await;
            if sender.send_data(Bytes::from(vec![byte])).await.is_err() {
                return;
            }
        }
    });
    let mut answer = json(String::new());
    *answer.body_mut() = Either::Right(body);
    set(&mut answer, header::CONTENT_LENGTH, &length);
    answer
}

fn huge() -> Answer {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        let spaces = Bytes::from(vec![b' '; 1 << 16]);
        let mut next = Bytes::from_static(br#"{"keys":["#);
        while sender.send_data(next).await.is_ok() {
            next = spaces.clone();
        }
    });
    let mut answer = json(String::new());
    *answer.body_mut() = Either::Right(body);
    answer
}

fn mint_from_query(issuer: &Issuer, query: &str) -> Result<Answer, String> {
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let parameters = parameters.iter().map(|(name, value)| (&**name, &**value));
    Ok(token(issuer.mint(&Assertion::from_parameters(&issuer.host, now(), parameters)?)))
}

async fn mint_from_body(issuer: &Mutex<Issuer>, body: Incoming) -> Result<Answer, String> {
    let bytes = Limited::new(body, LONGEST_BODY).collect().await.map_err(|error| error.to_string())?.to_bytes();
    let claims: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|error| format!("the body is not a JSON object of claims: {error}"))?;
    let issuer = locked(issuer);
    Ok(token(issuer.mint(&Assertion::from_claims(&issuer.host, now(), claims)?)))
}

fn token(token: String) -> Answer {
    let mut answer = page(StatusCode::OK, "text/plain; charset=utf-8", token);
    set(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}

fn rotate(issuer: &mut Issuer, query: &str) -> Result<Answer, String> {
    issuer.rotate(parameter(query, "step")?.unwrap_or_default())?;
    Ok(stats(issuer))
}

fn withdraw(issuer: &mut Issuer, query: &str) -> Result<Answer, String> {
    issuer.withdraw(parameter(query, "keys")?.unwrap_or_default());
    Ok(stats(issuer))
}

fn fault(issuer: &mut Issuer, query: &str) -> Result<Answer, String> {
    issuer.fault = parameter(query, "kind")?.ok_or("say which: /fault?kind=hang, or none")?;
    Ok(stats(issuer))
}

fn stats(issuer: &Issuer) -> Answer {
    json(serde_json::to_string(&issuer.stats()).expect("numbers and strings have a JSON form"))
}

fn query(request: &Request<Incoming>) -> &str {
    request.uri().query().unwrap_or_default()
}

/// The value of the one parameter that may be there.
fn parameter<T: for<'a> Deserialize<'a>>(query: &str, name: &str) -> Result<Option<T>, String> {
    let mut found = None;
    for (given, value) in form_urlencoded::parse(query.as_bytes()) {
        if given != name || found.is_some() {
            return Err(format!("takes {name} once and no other parameter, not {given}"));
        }
        let value: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = (*value).into_deserializer();
        found = Some(T::deserialize(value).map_err(|error| format!("{name}: {error}"))?);
    }
    Ok(found)
}

fn or_bad_request(result: Result<Answer, String>) -> Answer {
    result.unwrap_or_else(|why| page(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", format!("{why}\n")))
}

fn json(text: String) -> Answer {
    page(StatusCode::OK, "application/json", text)
}

fn page(status: StatusCode, content_type: &str, text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(text)));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, content_type);
    answer
}

fn set(answer: &mut Answer, name: header::HeaderName, value: &str) {
    answer.headers_mut().insert(name, value.parse().expect("what we write here is visible ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_is_gos_fnv_1() {
        // As printed by Go: h := fnv.New64(); h.Write([]byte(text)); fmt.Printf("%x", h.Sum64())
        for (text, expected) in [("", "\"cbf29ce484222325\""), ("a", "\"af63bd4c8601b7be\"")] {
            assert_eq!(entity_tag(text), expected, "{text:?}");
        }
    }
}
