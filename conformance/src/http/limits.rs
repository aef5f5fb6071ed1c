//! What a framework or server cannot do, or does by itself before any code of ours: one table, each with its reason.
//!
//! A line that is no longer needed is a failure, so the table cannot grow old.

mod node;

use super::{
    Application,
    case::{Case, Expect, Feature},
    expect,
    starts::Start,
    wire::Answer,
};

/// What happens instead of what the case demands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// The case is not run: there is nothing to run it on.
    NotRun,
    /// The server answers 4xx or 501 by itself, or hangs up. No handler is reached.
    ServerRefuses,
    /// The server answers 200 by itself, with nothing in it. No handler is reached.
    ServerAnswers,
    /// The server answers with this status by itself: a redirection, or an error of its own. No handler is reached.
    ServerStatus(u16),
    /// It is refused by us, with this code.
    Refused(&'static str),
}

pub(crate) struct Limit {
    applications: &'static [&'static str],
    /// An id, or the beginning of several, then with `*` at its end.
    cases: &'static str,
    pub(crate) instead: Instead,
    pub(crate) reason: &'static str,
}

const fn line(
    applications: &'static [&'static str],
    cases: &'static str,
    instead: Instead,
    reason: &'static str,
) -> Limit {
    Limit { applications, cases, instead, reason }
}

/// Servers over hyper.
const HYPER: &[&str] = &["reference", "axum", "serve"];
const ACTIX: &[&str] = &["actix"];
/// Go's own server, under every framework.
const GO: &[&str] = &["net/http", "chi", "gin", "echo"];
/// gunicorn, which answers 400 to what is not well formed.
const GUNICORN: &[&str] = &["flask-gunicorn", "wsgi", "django-gunicorn"];
/// uvicorn over h11.
const UVICORN: &[&str] = &["asgi-uvicorn", "fastapi", "starlette", "django-uvicorn"];
/// hypercorn over h11.
const HYPERCORN: &[&str] = &["quart-hypercorn"];
const AIOHTTP: &[&str] = &["aiohttp"];
/// php-fpm behind nginx, under every framework.
const NGINX: &[&str] = &["php-fpm", "psr-15", "laravel", "symfony"];
/// Tomcat, which answers 400 to what is not well formed, also under Spring Boot.
const TOMCAT: &[&str] = &["tomcat", "spring-boot-4", "spring-boot-3"];
const TOMCAT_ALONE: &[&str] = &["tomcat"];
const SPRING_BOOT_4: &[&str] = &["spring-boot-4"];
const SPRING_BOOT_3: &[&str] = &["spring-boot-3"];
const SPRING_BOOT: &[&str] = &["spring-boot-4", "spring-boot-3"];
/// Netty, which answers 400 to what is not well formed.
const WEBFLUX: &[&str] = &["webflux-4", "webflux-3"];
const WEBFLUX_4: &[&str] = &["webflux-4"];
const WEBFLUX_3: &[&str] = &["webflux-3"];
/// Jetty, which answers 400 to what is ambiguous, too.
const JETTY: &[&str] = &["jetty"];
/// .NET's own server.
const KESTREL: &[&str] = &["aspnetcore"];

const HTTP_2: &str = "hypercorn switches to HTTP/2, which its test in bindings-python speaks";
const LAST_LINE: &str = "before version 1.23 nginx hands php-fpm all lines of a header, and PHP takes the last";

static LIMITS: &[Limit] = &[
    line(HYPER, "header-folded", Instead::ServerRefuses, "hyper refuses folded headers"),
    line(HYPER, "header-space-before-the-*", Instead::ServerRefuses, "hyper refuses spaces around a header's name"),
    line(HYPER, "header-nul", Instead::ServerRefuses, "hyper refuses NUL in a header"),
    line(HYPER, "target-backslash", Instead::ServerRefuses, "hyper refuses a target that does not begin with /"),
    line(HYPER, "target-colon", Instead::ServerRefuses, "hyper refuses a URI without an authority"),
    line(ACTIX, "header-nul", Instead::ServerRefuses, "actix refuses NUL in a header"),
    line(ACTIX, "header-folded", Instead::ServerRefuses, "actix refuses folded headers"),
    line(ACTIX, "header-space-before-the-*", Instead::ServerRefuses, "actix refuses spaces around a header's name"),
    line(ACTIX, "path-not-ascii", Instead::ServerRefuses, "actix refuses a target that is not ASCII"),
    line(ACTIX, "target-backslash", Instead::ServerRefuses, "actix refuses a target that does not begin with /"),
    line(ACTIX, "target-colon", Instead::ServerRefuses, "actix refuses a URI without an authority"),
    line(GUNICORN, "header-nul", Instead::ServerRefuses, "gunicorn refuses NUL in a header"),
    line(GUNICORN, "header-folded", Instead::ServerRefuses, "gunicorn refuses folded headers"),
    line(
        GUNICORN,
        "header-space-before-the-*",
        Instead::ServerRefuses,
        "gunicorn refuses spaces around a header's name",
    ),
    line(GUNICORN, "path-not-ascii", Instead::ServerRefuses, "gunicorn refuses a request line that is not ASCII"),
    line(GUNICORN, "target-star-get", Instead::ServerRefuses, "gunicorn takes * with OPTIONS only"),
    line(GUNICORN, "target-relative", Instead::ServerRefuses, "gunicorn refuses a target that is neither path nor URI"),
    line(GUNICORN, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(GUNICORN, "target-colon", Instead::ServerRefuses, "as target-relative"),
    line(GUNICORN, "method-lower-case", Instead::ServerRefuses, "gunicorn takes methods in capitals only"),
    line(UVICORN, "header-nul", Instead::ServerRefuses, "uvicorn answers 400 to NUL in a header"),
    line(
        UVICORN,
        "header-space-before-the-colon",
        Instead::ServerRefuses,
        "uvicorn answers 400 to spaces after a name",
    ),
    line(UVICORN, "path-not-ascii", Instead::ServerRefuses, "uvicorn answers 400 to a target that is not ASCII"),
    line(UVICORN, "upgrade-post", Instead::ServerRefuses, "uvicorn answers 405 to a WebSocket by POST"),
    line(
        UVICORN,
        "exempt-health-absolute",
        Instead::Refused("token_missing"),
        "the application gets the whole URI as its path and routes by it",
    ),
    line(HYPERCORN, "header-nul", Instead::ServerRefuses, "hypercorn answers 400 to NUL in a header"),
    line(
        HYPERCORN,
        "header-space-before-the-colon",
        Instead::ServerRefuses,
        "hypercorn answers 400 to spaces after a name",
    ),
    line(HYPERCORN, "path-not-ascii", Instead::ServerRefuses, "hypercorn answers 400 to a target that is not ASCII"),
    line(
        HYPERCORN,
        "exempt-health-absolute",
        Instead::Refused("token_missing"),
        "the application gets the whole URI as its path and routes by it",
    ),
    line(HYPERCORN, "upgrade-h2c*", Instead::ServerStatus(101), HTTP_2),
    line(AIOHTTP, "header-nul", Instead::ServerRefuses, "aiohttp refuses NUL in a header"),
    line(AIOHTTP, "header-folded", Instead::ServerRefuses, "aiohttp refuses folded headers"),
    line(AIOHTTP, "header-space-before-the-*", Instead::ServerRefuses, "aiohttp refuses spaces around a header's name"),
    line(AIOHTTP, "path-not-ascii", Instead::ServerRefuses, "aiohttp refuses a target that is not ASCII"),
    line(AIOHTTP, "target-star-get", Instead::ServerRefuses, "aiohttp takes * with OPTIONS only"),
    line(AIOHTTP, "target-relative", Instead::ServerRefuses, "aiohttp refuses a target that is neither path nor URI"),
    line(AIOHTTP, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(AIOHTTP, "target-colon", Instead::ServerRefuses, "as target-relative"),
    line(AIOHTTP, "method-brew*", Instead::ServerRefuses, "aiohttp answers 400 to a method that it does not know"),
    line(AIOHTTP, "method-lower-case", Instead::ServerRefuses, "as method-brew"),
    line(AIOHTTP, "log-without-tokens", Instead::NotRun, "aiohttp logs a malformed header as it was sent"),
    line(GO, "header-nul", Instead::ServerRefuses, "Go answers 400 to NUL in a header"),
    line(GO, "header-space-before-the-colon", Instead::ServerRefuses, "Go answers 400 to spaces after a header's name"),
    line(GO, "path-encoded-badly", Instead::ServerRefuses, "Go answers 400 to a target that it cannot decode"),
    line(GO, "target-relative", Instead::ServerRefuses, "Go answers 400 to a target that is neither path nor URI"),
    line(GO, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(KESTREL, "header-high-bytes", Instead::ServerRefuses, "Kestrel answers 400 to a header that is not UTF-8"),
    line(KESTREL, "header-nul", Instead::ServerRefuses, "Kestrel answers 400 to NUL in a header"),
    line(KESTREL, "header-folded", Instead::ServerRefuses, "Kestrel answers 400 to folded headers"),
    line(
        KESTREL,
        "header-space-before-the-*",
        Instead::ServerRefuses,
        "Kestrel answers 400 to spaces around a header's name",
    ),
    line(
        KESTREL,
        "path-absolute-with-an-exempt-host",
        Instead::ServerRefuses,
        "Kestrel answers 400 to a target whose host is not that of Host",
    ),
    line(KESTREL, "path-encoded-nul", Instead::ServerRefuses, "Kestrel answers 400 to NUL in a path"),
    line(KESTREL, "path-not-ascii", Instead::ServerRefuses, "Kestrel answers 400 to a target that is not ASCII"),
    line(KESTREL, "target-authority", Instead::ServerRefuses, "as path-absolute-with-an-exempt-host"),
    line(KESTREL, "target-star-get", Instead::ServerRefuses, "Kestrel takes * with OPTIONS only"),
    line(KESTREL, "target-relative", Instead::ServerRefuses, "Kestrel refuses a target that is neither path nor URI"),
    line(KESTREL, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(KESTREL, "target-colon", Instead::ServerRefuses, "as target-relative"),
    line(TOMCAT, "header-nul", Instead::ServerRefuses, "Tomcat answers 400 to NUL in a header"),
    line(
        TOMCAT,
        "header-space-before-the-colon",
        Instead::ServerRefuses,
        "Tomcat answers 400 to spaces after a header's name",
    ),
    line(
        TOMCAT,
        "path-absolute-with-an-exempt-host",
        Instead::ServerRefuses,
        "Tomcat answers 400 to a host that the header Host does not name",
    ),
    line(TOMCAT, "path-encoded-slash*", Instead::ServerRefuses, "Tomcat answers 400 to an encoded slash"),
    line(TOMCAT, "path-encoded-backslash", Instead::ServerRefuses, "Tomcat answers 400 to a backslash"),
    line(TOMCAT, "path-backslash", Instead::ServerRefuses, "as path-encoded-backslash"),
    line(TOMCAT, "path-encoded-nul", Instead::ServerRefuses, "Tomcat answers 400 to what it cannot decode"),
    line(TOMCAT, "path-encoded-badly", Instead::ServerRefuses, "as path-encoded-nul"),
    line(TOMCAT, "path-overlong-dot", Instead::ServerRefuses, "as path-encoded-nul"),
    line(TOMCAT, "path-not-ascii", Instead::ServerRefuses, "Tomcat answers 400 to a target that is not ASCII"),
    line(TOMCAT, "target-authority", Instead::ServerRefuses, "Tomcat answers 501 to CONNECT"),
    line(TOMCAT, "target-connect-exempt", Instead::ServerRefuses, "as target-authority"),
    line(TOMCAT, "target-star-get", Instead::ServerRefuses, "Tomcat takes * with OPTIONS only"),
    line(
        TOMCAT,
        "target-relative",
        Instead::ServerRefuses,
        "Tomcat answers 400 to a target that is neither path nor URI",
    ),
    line(TOMCAT, "target-fragment", Instead::ServerRefuses, "Tomcat answers 400 to # in a target"),
    line(TOMCAT, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(TOMCAT, "target-colon", Instead::ServerRefuses, "as target-relative"),
    line(TOMCAT_ALONE, "method-trace*", Instead::ServerRefuses, "Tomcat answers 405 to TRACE unless told otherwise"),
    line(SPRING_BOOT, "method-trace", Instead::ServerRefuses, "Tomcat answers 405 to TRACE unless told otherwise"),
    line(SPRING_BOOT_4, "preflight-exempt", Instead::ServerAnswers, "Spring MVC answers preflights itself"),
    line(SPRING_BOOT_4, "optional-preflight", Instead::ServerAnswers, "as preflight-exempt"),
    line(SPRING_BOOT_3, "preflight-exempt", Instead::ServerRefuses, "Spring MVC answers preflights itself"),
    line(SPRING_BOOT_3, "optional-preflight", Instead::ServerRefuses, "as preflight-exempt"),
    line(TOMCAT, "target-star", Instead::ServerAnswers, "Tomcat answers OPTIONS * itself"),
    line(WEBFLUX, "header-nul", Instead::ServerRefuses, "Netty answers 400 to NUL in a header"),
    line(WEBFLUX, "header-space-before-the-colon", Instead::ServerRefuses, "Netty answers 400 to spaces after a name"),
    line(WEBFLUX, "path-encoded-badly", Instead::ServerRefuses, "Spring answers 400 to what is not a URI"),
    line(WEBFLUX, "path-backslash", Instead::ServerRefuses, "as path-encoded-badly"),
    line(WEBFLUX, "target-backslash", Instead::ServerRefuses, "as path-encoded-badly"),
    line(WEBFLUX_4, "preflight-exempt", Instead::ServerAnswers, "WebFlux answers preflights itself"),
    line(WEBFLUX_4, "optional-preflight", Instead::ServerAnswers, "as preflight-exempt"),
    line(WEBFLUX_3, "preflight-exempt", Instead::ServerRefuses, "WebFlux answers preflights itself"),
    line(WEBFLUX_3, "optional-preflight", Instead::ServerRefuses, "as preflight-exempt"),
    line(JETTY, "header-nul", Instead::ServerRefuses, "Jetty answers 400 to NUL in a header"),
    line(JETTY, "header-folded", Instead::ServerRefuses, "Jetty refuses folded headers"),
    line(JETTY, "header-space-before-the-*", Instead::ServerRefuses, "Jetty refuses spaces around a header's name"),
    line(JETTY, "path-two-slashes-after", Instead::ServerRefuses, "Jetty answers 400 to an empty segment"),
    line(JETTY, "path-doubled-slash*", Instead::ServerRefuses, "as path-two-slashes-after"),
    line(JETTY, "path-tripled-slash", Instead::ServerRefuses, "as path-two-slashes-after"),
    line(JETTY, "path-host-like", Instead::ServerRefuses, "as path-two-slashes-after"),
    line(
        JETTY,
        "path-absolute-with-an-exempt-host",
        Instead::ServerRefuses,
        "Jetty answers 400 to a host that the header Host does not name",
    ),
    line(JETTY, "path-encoded-slash*", Instead::ServerRefuses, "Jetty answers 400 to an encoded slash"),
    line(JETTY, "path-encoded-dots*", Instead::ServerRefuses, "Jetty answers 400 to encoded dots"),
    line(JETTY, "path-encoded-twice", Instead::ServerRefuses, "Jetty answers 400 to an encoded percent sign"),
    line(
        JETTY,
        "path-encoded-backslash",
        Instead::ServerRefuses,
        "Jetty answers 400 to characters that are suspicious to it",
    ),
    line(JETTY, "path-encoded-newline", Instead::ServerRefuses, "as path-encoded-backslash"),
    line(JETTY, "path-backslash", Instead::ServerRefuses, "as path-encoded-backslash"),
    line(JETTY, "path-not-ascii", Instead::ServerRefuses, "as path-encoded-backslash"),
    line(JETTY, "path-encoded-nul", Instead::ServerRefuses, "Jetty answers 400 to what it cannot decode"),
    line(JETTY, "path-encoded-badly", Instead::ServerRefuses, "as path-encoded-nul"),
    line(JETTY, "path-overlong-dot", Instead::ServerRefuses, "as path-encoded-nul"),
    line(JETTY, "path-parameter-below", Instead::ServerRefuses, "Jetty answers 400 to dots with a parameter"),
    line(JETTY, "target-star*", Instead::ServerRefuses, "Jetty answers 4xx to *"),
    line(JETTY, "target-authority", Instead::ServerRefuses, "Jetty answers 400 to CONNECT"),
    line(JETTY, "target-connect-exempt", Instead::ServerRefuses, "as target-authority"),
    line(
        JETTY,
        "target-relative",
        Instead::ServerRefuses,
        "Jetty answers 400 to a target that is neither path nor URI",
    ),
    line(JETTY, "target-fragment", Instead::ServerRefuses, "Jetty answers 400 to # in a target"),
    line(JETTY, "target-backslash", Instead::ServerRefuses, "as target-relative"),
    line(
        JETTY,
        "upgrade-without-connection",
        Instead::ServerRefuses,
        "Jetty answers 400 to an Upgrade that Connection does not name",
    ),
    line(JETTY, "upgrade-in-capitals", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "upgrade-two-lines", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "upgrade-comma", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "upgrade-empty", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "upgrade-h2c-without-connection", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "upgrade-h2c-in-capitals", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(JETTY, "demand-upgrade*", Instead::ServerRefuses, "as upgrade-without-connection"),
    line(NGINX, "header-nul", Instead::ServerRefuses, "nginx refuses NUL in a header"),
    line(NGINX, "header-folded", Instead::ServerRefuses, "nginx refuses folded headers"),
    line(NGINX, "header-space-before-the-*", Instead::ServerRefuses, "nginx refuses spaces around a header's name"),
    line(NGINX, "path-encoded-nul", Instead::ServerRefuses, "nginx refuses a path that it cannot decode"),
    line(NGINX, "path-encoded-badly", Instead::ServerRefuses, "as path-encoded-nul"),
    line(NGINX, "target-star*", Instead::ServerRefuses, "nginx refuses a target that is neither path nor URI"),
    line(NGINX, "target-relative", Instead::ServerRefuses, "as target-star"),
    line(NGINX, "target-backslash", Instead::ServerRefuses, "as target-star"),
    line(NGINX, "target-colon", Instead::ServerRefuses, "as target-star"),
    line(NGINX, "target-authority", Instead::ServerRefuses, "nginx refuses CONNECT"),
    line(NGINX, "target-connect-exempt", Instead::ServerRefuses, "as target-authority"),
    line(NGINX, "method-trace*", Instead::ServerRefuses, "nginx refuses TRACE"),
    line(NGINX, "method-lower-case", Instead::ServerRefuses, "nginx takes methods in capitals only"),
    line(NGINX, "code-repeated", Instead::ServerRefuses, "nginx refuses a second Authorization"),
    line(NGINX, "header-twice*", Instead::NotRun, LAST_LINE),
    line(NGINX, "header-good-after-an-empty-one", Instead::NotRun, LAST_LINE),
    line(NGINX, "header-empty-after-a-good-one", Instead::NotRun, LAST_LINE),
    line(NGINX, "header-two-empty-ones", Instead::NotRun, LAST_LINE),
    line(NGINX, "websocket-two-tokens", Instead::NotRun, LAST_LINE),
    line(NGINX, "optional-two*", Instead::NotRun, LAST_LINE),
];

static NO_WEBSOCKETS: Limit = line(&[], "", Instead::NotRun, "the server has no WebSockets");
static NO_CORS: Limit = line(&[], "", Instead::NotRun, "there is no CORS middleware for it");
static NO_REWRITE: Limit = line(&[], "", Instead::NotRun, "it has no middleware that rewrites paths");

fn all() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().chain(node::LIMITS)
}

pub(crate) fn limit_of(application: &str, case: &str) -> Option<&'static Limit> {
    all().find(|limit| limit.applications.contains(&application) && covers(limit, case))
}

/// The line for this case, or the feature that is missing.
pub(crate) fn limit(application: &Application, case: &Case) -> Option<&'static Limit> {
    match case.needs.filter(|feature| !application.features.contains(feature)) {
        Some(Feature::WebSockets) => Some(&NO_WEBSOCKETS),
        Some(Feature::Rewrite) => Some(&NO_REWRITE),
        Some(Feature::Cors) => Some(&NO_CORS),
        None => limit_of(&application.name, &case.id),
    }
}

fn covers(limit: &Limit, id: &str) -> bool {
    match limit.cases.strip_suffix('*') {
        Some(beginning) => id.starts_with(beginning),
        None => id == limit.cases,
    }
}

/// Lines that name no case: a complaint each.
pub(crate) fn unknown_ids(application: &Application, plan: &[Start]) -> Vec<String> {
    let of_this = all().filter(|limit| limit.applications.contains(&application.name.as_str()));
    let unknown =
        of_this.filter(|limit| !plan.iter().flat_map(|start| &start.cases).any(|case| covers(limit, &case.id)));
    unknown
        .map(|limit| format!("limits.rs names {}, which is not a case: correct or delete the line", limit.cases))
        .collect()
}

/// Whether the answer is what the table says.
pub(crate) fn compare(instead: &Instead, answer: &Answer, head_only: bool) -> Result<(), String> {
    match instead {
        Instead::NotRun => Ok(()),
        Instead::ServerRefuses if expect::is_servers_own_refusal(answer) => Ok(()),
        Instead::ServerRefuses => Err("limits.rs says that the server refuses this by itself".to_owned()),
        Instead::ServerAnswers
            if expect::response(answer).is_ok_and(|empty| empty.status == 200 && empty.body.is_empty()) =>
        {
            Ok(())
        }
        Instead::ServerAnswers => {
            Err("limits.rs says that the server answers this by itself, with an empty 200".to_owned())
        }
        Instead::ServerStatus(status) if expect::is_servers_own(answer, *status) => Ok(()),
        Instead::ServerStatus(status) => {
            Err(format!("limits.rs says that the server answers this by itself, with {status}"))
        }
        Instead::Refused(code) => expect::compare(answer, &Expect::Refused(code), head_only),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::listed;

    #[test]
    fn every_line_is_of_an_application_that_exists() {
        for limit in all() {
            for name in limit.applications {
                assert!(listed().iter().any(|one| one.name == *name), "limits.rs names {name}, which is not listed");
            }
        }
    }
}
