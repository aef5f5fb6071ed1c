//! Strict JSON: one visitor over every text that is believed, tokens and key sets and options alike.
//!
//! RFC 8259 leaves duplicate names, lone surrogates and numbers out of range to the reader, and readers differ: what
//! one library checked, the next one reads otherwise. So they are refused here, at every level, along with invalid
//! UTF-8, a byte order mark, trailing bytes, nesting deeper than the caller allows and the names that serde_json keeps
//! for itself.
//!
//! Reading costs memory in proportion to the text: no container but the outermost one reserves space before it has
//! members, and of a text that nobody has signed only the members that are asked for are kept ([`parse_members`]).

mod read;
mod text;
mod value;

#[cfg(test)]
pub(crate) use read::DEPTH;
pub(crate) use read::{parse, parse_bytes, parse_members};
pub use text::member_text;
pub(crate) use text::{compact, entries};
pub(crate) use value::{Json, Member};
