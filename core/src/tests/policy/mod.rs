//! The policy of the key store: its rules as tables, and its promises in simulated worlds.

use super::*;

mod rules;
mod worlds;
