//! Tests that are longer than their subject. Those that see its private parts are its children: each is declared at the
//! end of the file that it tests.

#[cfg(feature = "fetch")]
pub(crate) mod faults;
#[cfg(feature = "fetch")]
mod keystore;
mod properties;
mod verifier;
