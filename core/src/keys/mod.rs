//! Keys: which ones there are, which of them are usable, and which one a token means.
//!
//! | | |
//! |---|---|
//! | `key` `ring_es256` | a public key, and whether a signature holds under it |
//! | `key_set` | a set of keys, and which of them a token means |
//! | `jwk` `pem` | reading keys |
//! | `source` `store` | where keys come from, and what holds them: `local` or `remote` |
//! | `policy` `age` `kids` `limits` | rules alone: when keys are used, when they are fetched, who waits |
//! | `remote` `cache` `process` `ticket` | carries the rules out: threads, waiting, fork, the set in use |
//! | `request` `answer` | the request for keys and the reading of its answer, for every sender |
//! | `fetcher` `http` | sends it, if the host does not |
//! | `state` `report` `unusable` | what `status` and errors say |

mod age;
mod answer;
mod cache;
mod fetcher;
mod file;
#[cfg(feature = "fetch")]
mod http;
mod jwk;
mod key;
mod key_set;
mod local;
mod pem;
mod policy;
mod process;
mod remote;
mod report;
mod request;
#[cfg(feature = "ring-es256")]
mod ring_es256;
mod snapshot;
mod source;
mod state;
mod store;
mod ticket;
mod ttl;
mod unknown_kids;
mod unusable;

pub use key::es256_checked_by;
pub(crate) use key_set::{Found, KeySet, Trust, named};
pub use request::KeyRequest;
pub(crate) use source::{FetchOptions, Source, check_url, is_authority_or_ipv6};
pub use state::{Health, KeyStatus, LastError, LastErrorCode, State};
pub(crate) use store::{Sender, Store};
pub(crate) use ticket::Patience;
pub use ticket::Ticket;
pub(crate) use ttl::Limits;
