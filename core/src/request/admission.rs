//! A request that got in, and what one route demands of it.

use crate::{
    code::ErrorCode,
    error::{Error, Facts},
    identity::Identity,
    wording::quoted,
};

/// A request that gets in.
///
/// ```
/// use pomerium_jwt::Admission;
///
/// fn greeting(admission: &Admission) -> String {
///     match admission {
///         Admission::Verified(identity) => format!("Hello {}", identity.subject),
///         Admission::Passed => "Hello".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request that passed has no identity"]
#[allow(clippy::large_enum_variant, reason = "nearly every admission has an identity")]
pub enum Admission {
    /// The token verified: this is who is calling.
    Verified(Identity),
    /// The request needs no token: nothing is known about the caller.
    Passed,
}

impl Admission {
    /// Who is calling; none if the request passed without an identity.
    ///
    /// ```
    /// assert!(pomerium_jwt::Admission::Passed.identity().is_none());
    /// ```
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Admission::Verified(identity) => Some(identity),
            Admission::Passed => None,
        }
    }

    /// Demands a signed-in user, for one route.
    ///
    /// ```
    /// use pomerium_jwt::{Admission, ErrorCode};
    ///
    /// let error = Admission::Passed.require_user().unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::TokenMissing);
    /// ```
    ///
    /// # Errors
    /// `token_missing` if the request passed without an identity, `subject_missing` if the identity is anonymous.
    pub fn require_user(&self) -> Result<&Identity, Error> {
        self.require_identity()?.require_user()
    }

    /// Demands a signed-in user in at least one of these groups, for one route.
    ///
    /// ```
    /// use pomerium_jwt::{Admission, Error};
    ///
    /// fn delete(admission: &Admission) -> Result<String, Error> {
    ///     let admin = admission.require_group(&["admins"])?;
    ///     Ok(format!("deleted by {}", admin.subject))
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`require_user`](Self::require_user), and `group_required`. `invalid_argument` for an empty list.
    pub fn require_group<S: AsRef<str>>(&self, groups: &[S]) -> Result<&Identity, Error> {
        check_groups(groups)?;
        self.require_identity()?.require_group(groups)
    }

    fn require_identity(&self) -> Result<&Identity, Error> {
        self.identity().ok_or_else(|| {
            let message = "this route demands a signed-in user, and the request passed without a token";
            Error::new(ErrorCode::TokenMissing, message)
        })
    }
}

impl Identity {
    /// Demands a signed-in user, for one route.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Identity};
    ///
    /// fn settings(identity: &Identity) -> Result<String, Error> {
    ///     Ok(format!("of {}", identity.require_user()?.subject))
    /// }
    /// ```
    ///
    /// # Errors
    /// `subject_missing` if the identity is anonymous.
    pub fn require_user(&self) -> Result<&Self, Error> {
        if self.is_user() {
            return Ok(self);
        }
        let message = "this route demands a signed-in user, and sub is empty";
        Err(Error::new(ErrorCode::SubjectMissing, message))
    }

    /// Demands a signed-in user in at least one of these groups, for one route.
    ///
    /// ```
    /// use pomerium_jwt::{Error, Identity};
    ///
    /// fn delete(identity: &Identity) -> Result<(), Error> {
    ///     identity.require_group(&["admins", "owners"])?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`require_user`](Self::require_user), and `group_required`. `invalid_argument` for an empty list.
    pub fn require_group<S: AsRef<str>>(&self, groups: &[S]) -> Result<&Self, Error> {
        check_groups(groups)?;
        self.require_user()?;
        if groups.iter().any(|group| self.in_group(group.as_ref())) {
            return Ok(self);
        }
        Err(group_required("this route", self, groups))
    }
}

fn check_groups<S: AsRef<str>>(groups: &[S]) -> Result<(), Error> {
    if !groups.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorCode::InvalidArgument, "require_group got an empty list: name at least one group"))
}

/// The refusal of a user who is in none of the groups that `who` demands.
pub(super) fn group_required<S: AsRef<str>>(who: &str, identity: &Identity, groups: &[S]) -> Error {
    const SHOWN: usize = 4;
    let names: Vec<String> = groups.iter().take(SHOWN).map(|group| quoted(group.as_ref())).collect();
    let more = if groups.len() > SHOWN { ", ..." } else { "" };
    let message = format!("the user is in none of the groups that {who} demands: {}{more}", names.join(", "));
    let facts = Facts::Mismatch {
        claim: "groups".to_owned(),
        actual: identity.groups.clone(),
        expected: groups.iter().map(|group| group.as_ref().to_owned()).collect(),
    };
    Error::new(ErrorCode::GroupRequired, message).about(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_four_groups_and_says_when_there_are_more() {
        let groups = ["a", "b", "c", "d", "e"];
        let alice = Identity::from_verified(r#"{"exp":1,"sub":"alice"}"#.to_owned()).expect("claims");
        let said = |count: usize| group_required("the application", &alice, &groups[..count]).to_string();
        assert!(said(3).ends_with(r#""a", "b", "c""#), "{}", said(3));
        assert!(said(4).ends_with(r#""c", "d""#), "{}", said(4));
        assert!(said(5).ends_with(r#""c", "d", ..."#), "{}", said(5));
    }
}
