//! Reads members of the JSON texts that this library has written, for C.

use serde::{Deserialize, de::IgnoredAny};

/// What `pomerium_jwt_in_group` answers. The claims have groups too, even those of a token without a user: only a text
/// with `anonymous` is an identity.
pub(crate) fn is_member(identity: &str, group: &str) -> bool {
    #[derive(Deserialize)]
    struct Member {
        anonymous: bool,
        groups: Vec<String>,
    }
    serde_json::from_str::<Member>(identity)
        .is_ok_and(|member| !member.anonymous && member.groups.iter().any(|own| own == group))
}

/// What `pomerium_jwt_get` finds.
pub(crate) fn member(object: &str, name: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(object).ok()?; // member_text does not judge what it reads
    let value = pomerium_jwt::member_text(object, name)?;
    if value == "null" {
        return None;
    }
    if !value.starts_with('"') {
        return Some(value.to_owned());
    }
    let string: String = serde_json::from_str(value).ok()?;
    (!string.contains('\0')).then_some(string)
}
