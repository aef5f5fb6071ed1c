//! The applications: one line each.

use super::Feature::{self, Cors, Rewrite, WebSockets};

/// An application of the repository.
#[derive(Debug)]
pub struct Listed {
    /// Its name in reports, and in the table of limits.
    pub name: &'static str,
    /// The language whose `make test-LANGUAGE` runs it.
    pub language: &'static str,
    /// Where it is started, below the repository.
    pub folder: &'static str,
    /// What starts it.
    pub command: &'static str,
    /// The page that says so, below the repository. It must hold the command.
    pub readme: &'static str,
    /// What its framework and server have.
    pub features: &'static [Feature],
}

const fn application(
    name: &'static str,
    language: &'static str,
    folder: &'static str,
    command: &'static str,
    readme: &'static str,
    features: &'static [Feature],
) -> Listed {
    Listed { name, language, folder, command, readme, features }
}

const ALL: &[Feature] = &[WebSockets, Rewrite, Cors];

const fn go(name: &'static str, folder: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "go", folder, command, "clients/go/README.md", features)
}

const fn python(name: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "python", "examples/python", command, "bindings-python/README.md", features)
}

const fn node(name: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "node", "examples/node", command, "bindings-node/README.md", features)
}

/// Of the Node package, in `make test-more`.
const fn runtime(name: &'static str, command: &'static str) -> Listed {
    application(name, "runtimes", "examples/node", command, "bindings-node/README.md", &[])
}

const fn java(name: &'static str, folder: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "java", folder, command, "clients/java/README.md", features)
}

/// Run by `make test-more`.
const fn webflux(name: &'static str, folder: &'static str) -> Listed {
    application(name, "java-webflux", folder, "java -jar target/app/app.jar", "clients/java/README.md", ALL)
}

const fn php(name: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "php", "examples/php", command, "clients/php/README.md", features)
}

const fn rust(name: &'static str, command: &'static str, features: &'static [Feature]) -> Listed {
    application(name, "rust", "examples/rust", command, "tower/README.md", features)
}

static LISTED: &[Listed] = &[
    application(
        "reference",
        "rust",
        "conformance",
        "cargo run -q --locked -p pomerium-jwt-conformance --bin http-reference",
        "conformance/http.md",
        ALL,
    ),
    application(
        "serve",
        "rust",
        "conformance",
        "cargo run -q --locked -p pomerium-jwt-conformance --bin http-sidecar",
        "conformance/http.md",
        &[WebSockets],
    ),
    rust("axum", "cargo run -q --locked -p pomerium-jwt-examples --bin app", ALL),
    rust("actix", "cargo run -q --locked -p pomerium-jwt-examples --bin actix", &[WebSockets, Cors]),
    go("net/http", "examples/go", "go run ./app", ALL),
    go("chi", "examples/go/frameworks", "go run ./chi", ALL),
    go("gin", "examples/go/frameworks", "go run ./gin", ALL),
    go("echo", "examples/go/frameworks", "go run ./echo", ALL),
    python("flask-gunicorn", "gunicorn app:app", &[Rewrite, Cors]),
    python("wsgi", "gunicorn wsgi", &[]),
    python("asgi-uvicorn", "python serve.py asgi", &[WebSockets]),
    python("fastapi", "python serve.py fastapi_app", ALL),
    python("starlette", "python serve.py starlette_app", ALL),
    python("quart-hypercorn", "python serve.py quart_app hypercorn", ALL),
    python("django-gunicorn", "gunicorn django_site.wsgi", &[]),
    python("django-uvicorn", "python serve.py django_site.asgi", &[]),
    python("aiohttp", "python aiohttp_app.py", &[WebSockets]),
    application("aspnetcore", "csharp", "examples/csharp/app", "dotnet out/app.dll", "clients/csharp/README.md", ALL),
    node("express5", "node app.mjs", &[Rewrite, Cors]),
    node("express4", "node express4.mjs", &[Rewrite, Cors]),
    node("connect", "node connect.mjs", &[Rewrite, Cors]),
    node("http", "node http.mjs", &[Cors]),
    node("http2", "node http2.mjs", &[Cors]),
    node("ws", "node ws.mjs", &[Cors, WebSockets]),
    node("fastify", "node fastify.mjs", ALL),
    node("koa", "node koa.mjs", &[Rewrite, Cors]),
    node("hono", "node hono.mjs", &[Cors]),
    node("nest", "node --import tsx nest.mts", ALL),
    node("nest-fastify", "node --import tsx nest.mts fastify", ALL),
    application("next", "node", "examples/node/next", "node start.mjs", "bindings-node/README.md", &[Rewrite]),
    runtime("bun", "bun --max-http-header-size=131072 fetch.mjs"),
    runtime("deno", "deno run --allow-all fetch.mjs"),
    java("tomcat", "examples/java/servlet", "java -jar target/app.jar", ALL),
    java("spring-boot-4", "examples/java/spring-boot", "java -jar target/app/app.jar", ALL),
    java("spring-boot-3", "examples/java/spring-boot-3", "java -jar target/app/app.jar", ALL),
    java("jetty", "examples/java/servlet", "java -jar target/app.jar jetty", ALL),
    webflux("webflux-4", "examples/java/webflux"),
    webflux("webflux-3", "examples/java/webflux-3"),
    php("php-fpm", "./serve plain", &[Cors]),
    php("psr-15", "./serve psr15", &[Rewrite, Cors]),
    php("laravel", "./serve laravel/public", &[Rewrite, Cors]),
    php("symfony", "./serve symfony/public", &[Rewrite, Cors]),
];

/// At most so many processes answer, each of which has a log of its own.
pub(crate) fn processes(application: &str) -> u64 {
    let php_fpm = LISTED.iter().any(|one| one.name == application && one.language == "php");
    if php_fpm { 12 } else { 4 }
}

/// Every application.
#[must_use]
pub fn listed() -> &'static [Listed] {
    LISTED
}
