//! Trust on first use: what the first verified token had in place of what is not configured.

use once_cell::race::OnceBox;

use crate::{
    claims::{Payload, Rules, check_names},
    error::Error,
    names::Names,
    verifier_status::Pinned,
};

/// Whether this verification may pin.
#[derive(Clone, Copy)]
pub(super) enum Pinning {
    Pin,
    PassOver,
}

/// The pinned names, once there are any.
pub(super) struct Pins(OnceBox<Pin>);

impl Pins {
    pub(super) fn new() -> Self {
        Self(OnceBox::new())
    }

    /// An issuer or audience that is not configured is pinned once all other checks have passed, and compared from then
    /// on. An anonymous token pins nothing: a visitor of a public route must not decide for everybody else.
    pub(super) fn check(&self, payload: &Payload<'_>, rules: &Rules, pinning: Pinning) -> Result<(), Error> {
        if rules.issuer.is_some() && rules.audience.is_some() {
            return Ok(());
        }
        let Ok(pin) = self.0.get_or_try_init(|| Pin::new(payload, rules, pinning).map(Box::new).ok_or(())) else {
            return Ok(());
        };
        let issuers = rules.issuer.as_ref().or(pin.issuer.as_ref());
        let audiences = rules.audience.as_ref().or(pin.audience.as_ref());
        check_names(payload, issuers, audiences)
    }

    /// What is pinned, if anything is.
    pub(super) fn show(&self) -> Option<Pinned> {
        self.0.get().map(|pin| pin.shown.clone())
    }
}

/// What the first verified token had in place of what is not configured.
#[derive(Debug)]
struct Pin {
    issuer: Option<Names>,
    audience: Option<Names>,
    shown: Pinned,
}

impl Pin {
    /// What this token pins, if it may.
    fn new(payload: &Payload<'_>, rules: &Rules, pinning: Pinning) -> Option<Self> {
        if matches!(pinning, Pinning::PassOver) || payload.subject.is_empty() {
            return None;
        }
        let issuer = payload.issuer.filter(|_| rules.issuer.is_none());
        let audience = Some(&payload.audience).filter(|_| rules.audience.is_none());
        let owned = |values: &Vec<&str>| values.iter().map(|&value| value.to_owned()).collect();
        Some(Self {
            issuer: issuer.map(|value| Names::pinned(&[value])),
            audience: audience.map(|values| Names::pinned(values)),
            shown: Pinned { issuer: issuer.map(str::to_owned), audience: audience.map(owned) },
        })
    }
}
