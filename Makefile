# Two commands do all the set-up on a fresh Debian machine with Rust, a C compiler, make, Python and Node:
# `make demo` and `make test`. A target exists once what it runs exists; the line above it is what `make help` shows.

# Judged by their exit code, each counts as one test
CHECKS := lint test-tools demo test-serve test-browser test-dist
# A new language: its name here, an entry in tools/need, a recipe test-<language> that begins with it,
# and its runner's closing line in tools/run-tests unless one like it is there
LANGUAGES := rust c python go node php java csharp

# One for everything, so that no command builds what another has built
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: help demo test lint audit fuzz mutants conformance header install $(CHECKS) $(LANGUAGES:%=test-%)

# Prints this list
help:
	@awk '/^# /{help = substr($$0, 3); next} /^[a-z][a-z0-9-]*:/ && help {printf "make %-13s %s\n", substr($$1, 1, length($$1) - 1), help} {help = ""}' Makefile

# Verifies real Pomerium tokens, and shows what is refused and why
demo:
	@cargo run -q --locked -p pomerium-jwt-cli -- demo

# Everything: the checks, then every language; ends with a table and `N passed, 0 failed, M skipped`
test:
	@tools/run-tests $(CHECKS) -- $(LANGUAGES)

# ES256 checked by ring. Features are named, since all of them at once would be this one everywhere; the whole workspace,
# since another choice of crates would build every dependency once more
RING = --workspace --features pomerium-jwt/ring-es256

# Rust: unit and integration tests, the examples in its documentation, the conformance cases, both ways to check
# signatures, axum, actix-web and tonic, the crates as they are published
test-rust:
	@tools/need rust
	cargo test --locked --workspace --no-fail-fast -- --show-output
	tools/http rust
	tools/package-rust
	@# Once more with ring: the line `signatures: ...` of each run says which way checked them
	cargo test --locked $(RING) --no-fail-fast --lib --test rust -- --show-output

.PHONY: bench-serve screenshots
# `pomerium-jwt serve` behind nginx and Caddy, with the example files themselves
test-serve:
	cargo build -q --locked -p pomerium-jwt-cli
	@tools/need serve && examples/serve/test.py $(CARGO_TARGET_DIR)/debug/pomerium-jwt || \
		{ code=$$?; [ $$code = 77 ] && [ "$$CI" != true ] || exit $$code; }

# Requests a second of /auth over 64 connections, alone and behind nginx, as released
bench-serve:
	@tools/need bench-serve
	cargo build -q --release --locked -p pomerium-jwt-cli
	bench/serve.py $(CARGO_TARGET_DIR)/release/pomerium-jwt

# Screenshots of the page of `serve` in target/screenshots/: light, dark, on a phone; and what axe-core finds
screenshots:
	@tools/need screenshots
	cargo build -q --locked -p pomerium-jwt-cli
	@cd tools/screenshots && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent; }
	node tools/screenshots/shots.mjs $(CARGO_TARGET_DIR)/debug/pomerium-jwt "$$(command -v chromium)" $(CARGO_TARGET_DIR)/screenshots

.PHONY: package-rust
# Packs the crates as they are published into target/package/, and builds each from its archive
package-rust:
	@tools/package-rust

# C: the installed library, its header and symbols, the conformance cases, sanitizers, valgrind, fork, PHP's and Python's FFI
test-c:
	@tools/need c
	ffi-c/tests/run.py

# Python: the wheel in an environment of its own, Flask, FastAPI, Django, aiohttp, WSGI and ASGI under real servers; wheel, source distribution and repository in fresh ones
test-python: python-wheel
	cargo build -q --locked -p pomerium-jwt-cli
	$(PYTHON)/bin/python -m pip install -q --force-reinstall --no-deps $(PYTHON)/dist/*.whl
	cd bindings-python && $(PYTHON)/bin/python -m pytest
	tools/http python

# The CPythons that the package is tried under in addition
PYTHONS ?= $(wildcard $(HOME)/.pyenv/versions/3.1[0-9]*/bin/python3)
.PHONY: test-more

# What needs more than a usual machine has: the core for WebAssembly; other CPythons, other Djangos; Gradio, JupyterHub, Airflow, Superset; Node 22 and 24, Bun, Deno; WebFlux
test-more: python-wheel test-runtimes test-webflux
	tools/check-wasm
	@# In an application that turns these on, as axum does with its Json. serde_json itself then keeps the digits of numbers
	cargo test --locked -p pomerium-jwt --lib --features serde_json/raw_value,serde_json/arbitrary_precision -- --skip properties::json
	cd bindings-python/tests && $(PYTHON)/bin/python other_pythons.py $(PYTHON)/dist/*.whl $(PYTHONS)
	cd bindings-python/tests && $(PYTHON)/bin/python other_djangos.py $(PYTHON)/dist/*.whl $(PYTHONS)
	$(MAKE) --no-print-directory $(OTHER_APPLICATIONS:%=test-%)

# Each in an environment of its own, with the package and httpx. What they forget to demand of others, or demand too little of, is pinned
OTHER_APPLICATIONS := gradio jupyterhub airflow superset
test-gradio: OTHER = gradio==6.31.0
test-jupyterhub: OTHER = jupyterhub==6.1.1 jupyterlab==4.6.6
test-airflow: OTHER = apache-airflow-core==3.3.2
test-superset: OTHER = apache-superset==6.1.0 cachetools==8.0.2 flask-caching==2.3.1 rich==14.1.0
.PHONY: $(OTHER_APPLICATIONS:%=test-%) jupyterhub-proxy
$(OTHER_APPLICATIONS:%=test-%): test-%: python-wheel
	python3 -m venv $(PYTHON)-$*
	$(PYTHON)-$*/bin/python -m pip install -q --disable-pip-version-check $(OTHER) httpx==0.28.1
	$(PYTHON)-$*/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps $(PYTHON)/dist/*.whl
	cd bindings-python/tests && PATH=$(PYTHON)-$*/bin:$(PYTHON)-$*/node_modules/.bin:$$PATH python -B other_$*.py

test-jupyterhub: jupyterhub-proxy
jupyterhub-proxy:
	@tools/need node
	npm install --silent --no-fund --no-audit --prefix $(PYTHON)-jupyterhub configurable-http-proxy@5.3.0

PYTHON = $(CARGO_TARGET_DIR)/python
.PHONY: python-environment python-wheel bench-python
python-wheel: python-environment
	cd bindings-python && $(PYTHON)/bin/maturin build -q --locked --profile dev --out $(PYTHON)/dist

python-environment:
	@tools/need python
	@test -x $(PYTHON)/bin/python || python3 -m venv $(PYTHON)
	@$(PYTHON)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r bindings-python/requirements-dev.txt
	@rm -rf $(PYTHON)/dist

# ---- Go

GO = $(CARGO_TARGET_DIR)/go
.PHONY: go-library go-package bench-go

# Go: the packed module in a project outside, every way into net/http, chi, gin, echo and gRPC, 20,000 goroutines
test-go: go-package
	cargo build -q --locked -p pomerium-jwt-cli
	clients/go/test $(GO)/installed
	tools/http go

# The Go module as it is released, with the static library packed into it, below target/go/module
go-package: go-library
	clients/go/package $(GO)/installed $(GO)/module

go-library:
	@tools/need go
	@PREFIX=$(GO)/installed DESTDIR= NOTICES=1 ffi-c/install

# Go next to golang-jwt, go-jose and jwx, as released
bench-go: go-library
	cd bench/go && PKG_CONFIG_PATH=$(GO)/installed/lib/pkgconfig LD_LIBRARY_PATH=$(GO)/installed/lib go run .

# ---- Node

# Node: the addon under node's test runner, its types, the packed package in fresh projects, the HTTP suite
test-node: node-environment
	cargo build -q --locked -p pomerium-jwt-cli -p pomerium-jwt-node
	cd bindings-node && node scripts/addon.mjs debug && npm run --silent build && npm test --silent
	tools/http node

# The Node package on Node 22 and 24, Bun and Deno: the conformance cases, the HTTP suite of one framework each
test-runtimes: node-environment
	cargo build -q --locked -p pomerium-jwt-cli -p pomerium-jwt-node -p pomerium-jwt-conformance
	cd bindings-node && node scripts/addon.mjs debug && npm run --silent build
	tools/runtimes/test

# The Node package in pages: Chromium, `pomerium-jwt dev` and examples/react; screenshots go to target/screenshots/
test-browser:
	@tools/need browser && $(MAKE) --no-print-directory browser-environment && \
		(cd bindings-node && npm run --silent test-browser) || { code=$$?; [ $$code = 77 ] && [ "$$CI" != true ] || exit $$code; }

.PHONY: browser-environment
browser-environment: node-environment
	cargo build -q --locked -p pomerium-jwt-cli -p pomerium-jwt-node
	@cd examples/react && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent; }
	cd bindings-node && node scripts/addon.mjs debug && npm run --silent build

# Packs the Node package and the one with this machine's addon into target/node/, as released
node-package: node-environment
	cargo build -q --release --locked -p pomerium-jwt-node
	cd bindings-node && npm run --silent build && node scripts/package.mjs release $(CARGO_TARGET_DIR)/node

# Node next to jose, jsonwebtoken, fast-jwt and aws-jwt-verify, as released
bench-node: node-environment
	cargo build -q --release --locked -p pomerium-jwt-node
	cd bindings-node && node scripts/addon.mjs release && npm run --silent build
	npm --prefix bench/node ci --silent
	node bench/node/bench.mjs

# Installed once for each lock file
.PHONY: node-package bench-node node-environment test-runtimes
node-environment:
	@tools/need node
	@for folder in bindings-node examples/node; do \
		(cd $$folder && { test node_modules/.package-lock.json -nt package-lock.json || npm ci --silent; }) || exit 1; done

# ---- PHP

PHP_LIBRARY = $(CARGO_TARGET_DIR)/php/lib
.PHONY: php-library bench-php

# PHP: every way to run it (php-fpm behind nginx, mod_php, preloading), PSR-15, Laravel, Symfony, the HTTP suite
test-php: php-library
	cargo build -q --locked -p pomerium-jwt-cli
	cd clients/php && LD_LIBRARY_PATH=$(PHP_LIBRARY) phpunit
	tools/http php

# libpomerium_jwt.so under the name that it is installed by
php-library:
	@tools/need php
	cargo build -q --locked -p pomerium-jwt-ffi
	@mkdir -p $(PHP_LIBRARY) && ln -sfn ../../debug/libpomerium_jwt_ffi.so $(PHP_LIBRARY)/libpomerium_jwt.so

# PHP next to the work of firebase/php-jwt by hand, as released
bench-php:
	@tools/need php
	cargo build -q --release --locked -p pomerium-jwt-ffi
	POMERIUM_JWT_LIBRARY=$(CARGO_TARGET_DIR)/release/libpomerium_jwt_ffi.so php bench/php/bench.php

# ---- Java

JAVA = $(CARGO_TARGET_DIR)/java
MAVEN = clients/java/mvn -f clients/java -Prelease -Dnatives=$(JAVA)/natives \
	-DaltDeploymentRepository=target::file://$(JAVA)/repository
.PHONY: java-library java-package test-webflux bench-java

# Java: the jars on Java 17 with JNA and on the newest with FFM, 20,000 virtual threads, a project outside, the HTTP suite
test-java: java-library
	cargo build -q --locked -p pomerium-jwt-cli
	@rm -rf $(JAVA)/repository clients/java/*/target/tomcat*
	$(MAVEN) deploy
	clients/java/stranger $(JAVA)/repository $(JAVA)/stranger
	tools/http java

# The HTTP suite against the reactive applications of Spring Boot
test-webflux: java-package
	cargo build -q --locked -p pomerium-jwt-cli
	clients/java/stranger $(JAVA)/repository $(JAVA)/stranger
	tools/http java-webflux

# The jars with sources and documentation, as released, in a Maven repository: target/java/repository
java-package: java-library
	@rm -rf $(JAVA)/repository
	$(MAVEN) deploy -q -DskipTests

java-library:
	@tools/need java
	@PREFIX=$(JAVA)/installed DESTDIR= NOTICES=1 ffi-c/install
	@rm -rf $(JAVA)/natives
	@clients/java/natives $(JAVA)/installed $(JAVA)/natives

# ---- C#

.PHONY: csharp-library bench-csharp

# C#: the package and the ASP.NET Core integration under Kestrel, the examples, the HTTP suite
test-csharp: csharp-library
	clients/csharp/test
	clients/csharp/examples
	tools/http csharp

csharp-library:
	@tools/need csharp
	cargo build -q --locked -p pomerium-jwt-ffi -p pomerium-jwt-cli
	clients/csharp/natives $(CARGO_TARGET_DIR)/debug/libpomerium_jwt_ffi.so

# C# next to .NET's own ECDsa
bench-csharp:
	@tools/need csharp
	clients/csharp/natives
	clients/csharp/run bench/csharp

# ---- Releases

DIST = $(CARGO_TARGET_DIR)/artifacts
DIST_TOOLS = $(CARGO_TARGET_DIR)/dist-tools
DIST_BIN = $(DIST_TOOLS)/$(if $(findstring Windows,$(OS)),Scripts,bin)
CARGO_AUDITABLE = 0.7.7
DIST_RUN = PATH=$(DIST_BIN):$(DIST_TOOLS)/bin:$$PATH tools/dist
.PHONY: dist dist-tools test-dist test-dist-more test-arm64 test-published lint-workflows

# All that a release publishes, in target/artifacts/: make dist [PLATFORM=aarch64-unknown-linux-gnu] [PARTS='c cli'], see tools/dist
dist: dist-tools node-environment
	$(DIST_RUN) $(DIST) $(PLATFORM:%=--target %) $(PARTS)

# The C library and the Node package as released: symbols, licences, SBOM, one installation
test-dist: dist-tools node-environment
	cargo build -q --locked -p pomerium-jwt-cli
	$(DIST_RUN) $(CARGO_TARGET_DIR)/test-dist c node
	python3 tools/test_dist.py $(CARGO_TARGET_DIR)/test-dist c node

# Every package as released: opened, built twice, installed by its own tool, run under Debian 11's libc and without a compiler
test-dist-more: dist
	cargo build -q --locked -p pomerium-jwt-cli
	tools/test-dist-more $(DIST)

# The released files for arm64, built here and run under qemu: the command, and the conformance cases in C, Python and Node
test-arm64: dist-tools node-environment
	@tools/need arm64
	cargo build -q --locked -p pomerium-jwt-cli
	$(DIST_RUN) $(CARGO_TARGET_DIR)/test-arm64 --target aarch64-unknown-linux-gnu c cli python node
	PATH=$(DIST_BIN):$$PATH python3 tools/test_arm64.py $(CARGO_TARGET_DIR)/test-arm64

# What is in target/artifacts/ already: make test-published [PARTS='c cli'], as the release workflow calls it
test-published:
	cargo build -q --locked -p pomerium-jwt-cli
	python3 tools/test_dist.py $(DIST) $(or $(PARTS),c cli python node go java csharp php sdist rust)

dist-tools:
	@tools/need python
	@test -x $(DIST_BIN)/python || python3 -m venv $(DIST_TOOLS)
	@$(DIST_BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r tools/dist-requirements.txt
	@# It lists the crates in each binary; unoptimised, which takes half as long. Nothing is built if this version is there
	@cargo install -q --debug --locked --root $(DIST_TOOLS) --version $(CARGO_AUDITABLE) cargo-auditable

# .github/workflows by actionlint; needs Go
lint-workflows:
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# ---- Comparisons

# What exists of the comparisons with other libraries, each in one run; figures go to target/bench/ too
bench: bench-rust bench-python bench-go bench-node bench-php bench-java bench-csharp
.PHONY: bench bench-rust

# Rust next to aws-lc-rs, ring, OpenSSL, p256 and jsonwebtoken: the bare signature and the whole token
bench-rust:
	@tools/need bench-rust
	cargo run -q --release --locked --manifest-path bench/Cargo.toml

# Python next to PyJWT, joserfc, Authlib and python-jose, as released
bench-python: python-environment
	cd bindings-python && $(PYTHON)/bin/maturin build -q --locked --release --out $(PYTHON)/dist
	python3 -m venv $(PYTHON)-bench
	$(PYTHON)-bench/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r bench/python/requirements.txt
	$(PYTHON)-bench/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps $(PYTHON)/dist/*.whl
	$(PYTHON)-bench/bin/python bench/python/bench.py

# Java next to nimbus-jose-jwt, java-jwt and jjwt, on each Java that is here, without and with Amazon's cryptography
bench-java: java-library
	clients/java/mvn -q -f bench/java -Dnatives=$(JAVA)/natives -DskipTests package
	bench/java/run

# The scripts in tools/, those of releases too; the documents: their links, their commands, and what an addition must not forget
test-tools:
	python3 tools/test_tools.py
	python3 tools/test_documents.py
	python3 tools/test_release.py

# Formatting, lints and documentation without a warning, the house rules, the oldest Rust, the licences of all dependencies
lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --all-targets $(RING) -- -D warnings
	cargo clippy --locked -p pomerium-jwt --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps
	tools/tidy
	tools/msrv
	@if command -v phpcs >/dev/null; then phpcs -q --standard=clients/php/phpcs.xml; \
	else echo 'phpcs is not installed: the form of the PHP package is not checked'; fi
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check --hide-inclusion-graph bans licenses sources; \
	else echo 'cargo-deny is not installed: the licences and sources of dependencies are not checked'; fi

# Known vulnerabilities in dependencies; needs cargo-deny and a network
audit:
	cargo deny --locked check advisories

.PHONY: soak
# A minute of verifying while keys hang, break, die, rotate and come back; 10 million signatures; a million rounds in other languages
soak:
	@cargo run -q --locked --release -p pomerium-jwt --example soak
	ES256_SIGNATURES=10000000 cargo test --locked --release -p pomerium-jwt-es256 --test differential -- --nocapture
	SOAK_ROUNDS=1000000 $(MAKE) test-python test-go test-node test-php test-java test-csharp

FUZZ_SECONDS ?= 60

# Each fuzz target for FUZZ_SECONDS, 60 unless told; needs cargo-fuzz
fuzz:
	@command -v cargo-fuzz >/dev/null && command -v c++ >/dev/null || \
	{ echo 'make fuzz needs a C++ compiler and cargo-fuzz: apt-get install g++ && cargo install cargo-fuzz --locked'; exit 1; }
	cargo run -q --manifest-path fuzz/Cargo.toml --example seeds -- $(CARGO_TARGET_DIR)/fuzz/seeds
	@for target in $$(cargo fuzz list); do \
		mkdir -p $(CARGO_TARGET_DIR)/fuzz/corpus/$$target && echo "=== $$target ===" && \
		cargo fuzz run --sanitizer none $$target $(CARGO_TARGET_DIR)/fuzz/corpus/$$target $(CARGO_TARGET_DIR)/fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 || exit 1; \
	done

.PHONY: test-portable test-oldest-rust compatibility
# The parts that are the same on every system: the core, the command, the conformance cases
test-portable:
	cargo test --locked -p pomerium-jwt -p pomerium-jwt-es256 -p pomerium-jwt-issuer -p pomerium-jwt-cli -p pomerium-jwt-conformance --lib --bins --test rust

# Builds everything with the oldest Rust that Cargo.toml names; rustup installs it
test-oldest-rust:
	RUSTUP_TOOLCHAIN=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) cargo check --locked --workspace

# The crates' and the C library's interfaces, compared with those of the last release's tag; needs cargo-semver-checks
compatibility:
	tools/abi
	@tag=$$(git tag --list 'v*' --sort=-version:refname --merged HEAD | head -1); \
	if [ -n "$$tag" ]; then cargo semver-checks --baseline-rev "$$tag" -p pomerium-jwt -p pomerium-jwt-es256 -p pomerium-jwt-tower; fi

# What a hole in the tests would cost most: no change of these files may go unnoticed
MUTATED = token.rs json/read.rs json/text.rs names.rs route.rs url.rs claims.rs verifier/verify.rs verifier/admit.rs verifier/pin.rs \
	identity.rs response.rs request/*.rs options/*.rs keys/*.rs
# What nobody can notice: a name for a message that is never written, how few names are compared one by one, room that is
# reserved, a copy that is saved, keys that are found without the lock, two fetches in one nanosecond. What other runs
# notice: numbers under arbitrary_precision (make test-more), ring (make test-rust)
UNNOTICEABLE = expecting|replace (<|==|\+) with .* in .*visit_map|body.len\(\) > MAX_BYTES with false in read$$|find_fresh -> .* None|> with >= in Cache::finish|is_number -> bool with false|!= in .*is_number|ring_es256
MUTANTS = env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 cargo mutants --package pomerium-jwt $(MUTATED:%=--file core/src/%) \
	--exclude-re '$(UNNOTICEABLE)' --output $(CARGO_TARGET_DIR) --baseline skip --timeout 120 --no-shuffle

# Of es256: bits that two terms do not share may be joined by exclusive or; how the steps of an inversion are divided changes
# no inverse; a sign is its own inverse; which way forms a sum changes its time alone; what a processor with AVX-512 IFMA
# answers about it, and a way that is looked up again, are the same
UNNOTICEABLE_IN_ES256 = [|] with \^ in (join|from_limbs_of_52_bits|add_carry|subtract_borrow)|< with <= in divide_steps|- in Modulus::invert|[*]= with /= in .*read|== with != in verify$$|is_available -> bool with true|with [|][|] in is_available|match arm 2 in Way::current
MUTANTS_OF_ES256 = env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 ES256_REQUIRE_IFMA=1 \
	cargo mutants --package pomerium-jwt-es256 --exclude-re '$(UNNOTICEABLE_IN_ES256)' --output $(CARGO_TARGET_DIR)/es256 \
	--baseline skip --timeout 600 --no-shuffle

# Changes the code of the core and of es256 in one place at a time and looks whether a test notices; a night; needs cargo-mutants
mutants: test-rust
	@command -v cargo-mutants >/dev/null || { echo 'make mutants needs cargo-mutants: cargo install cargo-mutants --locked'; exit 1; }
	rm -rf $(CARGO_TARGET_DIR)/mutants.out*
	@# The cases are quick; what they do not notice, the core's own tests must
	-$(MUTANTS) --test-package pomerium-jwt-conformance -- --test rust
	@# 3: a test that ran for ever has noticed too
	$(MUTANTS) --test-package pomerium-jwt --iterate -- --lib --tests --examples || [ $$? -eq 3 ]
	rm -rf $(CARGO_TARGET_DIR)/es256/mutants.out*
	mkdir -p $(CARGO_TARGET_DIR)/es256
	-$(MUTANTS_OF_ES256) -- --test vectors
	$(MUTANTS_OF_ES256) --iterate -- --lib --tests || [ $$? -eq 3 ]

# Writes cases.json, requests.json, codes.json and options.json in conformance/, and what languages print of the options
conformance:
	@cargo run -q --locked -p pomerium-jwt-conformance

# Writes include/pomerium_jwt.h
header:
	@POMERIUM_JWT_WRITE_HEADER=1 cargo test -q --locked -p pomerium-jwt-ffi --test header

# Installs the C library with header and pkg-config file: make install PREFIX=/usr/local DESTDIR=
install:
	@ffi-c/install
