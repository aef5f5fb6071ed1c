//! `serve` as others meet it: over real sockets, byte by byte.
#![forbid(unsafe_code)]

mod auth;
mod documents;
mod endings;
mod page;
mod sidecar;
mod world;
