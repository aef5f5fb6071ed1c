# Two commands do all the set-up on a fresh Debian machine with Rust, a C compiler, make, Python and Node:
# `make demo` and `make test`. A target exists once what it runs exists; the line above it is what `make help` shows.

# Judged by their exit code, each counts as one test
CHECKS := lint test-tools demo
# A new language: its name here, an entry in tools/need, a recipe test-<language> that begins with it,
# and its runner's closing line in tools/run-tests unless one like it is there
LANGUAGES := rust

# One for everything, so that no command builds what another has built
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: help demo test lint audit conformance $(CHECKS) $(LANGUAGES:%=test-%)

# Prints this list
help:
	@awk '/^# /{help = substr($$0, 3); next} /^[a-z]+[a-z-]*:/ && help {printf "make %-13s %s\n", substr($$1, 1, length($$1) - 1), help} {help = ""}' Makefile

# Verifies real Pomerium tokens, and shows what is refused and why
demo:
	@cargo run -q --locked -p pomerium-jwt-cli -- demo

# Everything: the checks, then every language; ends with a table and `N passed, 0 failed, M skipped`
test:
	@tools/run-tests $(CHECKS) -- $(LANGUAGES)

# Rust: unit and integration tests, the examples in its documentation, the conformance cases
test-rust:
	@tools/need rust
	cargo test --locked --workspace --all-features --no-fail-fast -- --show-output

# The scripts in tools/
test-tools:
	python3 tools/test_tools.py

# Formatting, lints and documentation without a warning, the house rules, the licences of all dependencies
lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	cargo clippy --locked -p pomerium-jwt --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --all-features --no-deps
	tools/tidy
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check --hide-inclusion-graph bans licenses sources; \
	else echo 'cargo-deny is not installed: the licences and sources of dependencies are not checked'; fi

# Known vulnerabilities in dependencies; needs cargo-deny and a network
audit:
	cargo deny --locked check advisories

# Writes cases.json, codes.json and options.json in conformance/ anew
conformance:
	@cargo run -q --locked -p pomerium-jwt-conformance
