//! The options: what a verifier checks, and where its keys come from.
//!
//! `table.rs` lists each of them once, with its type, default, range, group and meaning; `conformance/options.json` and
//! the command line's flags are printed from it. `value.rs` has the types of values, `document.rs` reads JSON,
//! `environment.rs` reads variables, `overlay.rs` says which options win, and `settings.rs` turns the options into typed
//! settings: nothing below them sees [`Options`].

mod document;
mod environment;
mod name;
mod overlay;
mod settings;
mod spec;
mod table;
mod value;

pub use overlay::Overlay;
pub(crate) use settings::Settings;
pub use spec::{OptionGroup, OptionSpec};
pub use table::{OPTIONS, Options};
pub use value::{JwkSet, OptionKind};
