//! The cases by subject, in the order in which a token is checked.

mod claims;
mod header;
mod identity;
mod json;
mod key_set;
mod messages;
mod names;
mod options;
mod order;
mod public_key;
mod request;
mod rs256;
mod signature;
mod structure;
mod times;

use crate::case::Case;

pub(crate) fn all() -> Vec<Case> {
    let by_subject = [
        options::cases(),
        structure::cases(),
        header::cases(),
        key_set::cases(),
        public_key::cases(),
        rs256::cases(),
        json::cases(),
        signature::cases(),
        claims::cases(),
        request::cases(),
        times::cases(),
        names::cases(),
        identity::cases(),
        order::cases(),
        messages::cases(),
    ];
    by_subject.concat()
}
