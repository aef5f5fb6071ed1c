//! The server over real sockets.

mod addresses;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod http;
mod scenarios;
mod tls;
