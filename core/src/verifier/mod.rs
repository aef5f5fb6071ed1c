//! The verifier. `verify.rs` has the checks in order: read it first. `admit.rs` decides about requests.

mod admit;
mod fetching;
mod inspect;
mod inspection;
mod pin;
mod status;
mod verify;

pub use inspection::{Check, Inspection, Outcome};
pub use verify::Verifier;
