//! Requests: their facts, the rules about them, and those that got in. `verifier/admit.rs` decides.

mod admission;
mod facts;
mod rules;

pub use admission::Admission;
pub use facts::Request;
pub(crate) use rules::RequestRules;
