//! The built command, run as a person runs it.
#![forbid(unsafe_code)]

mod dev;
mod doctor;
mod exit_codes;
mod golden;
mod inspect;
mod issuer;
mod keys;
mod paste;
mod readme;
mod scenarios;
mod shell;
