//! The page that switches the user: one form, no script, nothing from elsewhere.

use std::fmt::Write as _;

use super::users::User;

/// Where its form goes.
pub(super) const PATH: &str = "/.pomerium/";
pub(super) const STYLE_PATH: &str = "/.pomerium/style.css";

pub(super) const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}
ul{list-style:none;padding:0}
li{margin:.5rem 0}
[aria-current]{font-weight:bold}
button{font:inherit;width:100%;text-align:left;padding:.6rem .8rem;overflow-wrap:anywhere}
small{display:block;opacity:.8}
";

/// The page for somebody who is `signed_in`, or nobody. A choice leads to `then`, a path of this address.
pub(super) fn render(users: &[User], signed_in: Option<usize>, then: &str) -> String {
    let now = match signed_in.and_then(|position| users.get(position)) {
        Some(user) => format!("Signed in as <strong>{}</strong>.", escaped(&user.email)),
        None => "Nobody is signed in.".to_owned(),
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>pomerium-jwt dev</title>\n\
         <link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n<main>\n<h1>Choose a user</h1>\n\
         <p>This is pomerium-jwt dev, not Pomerium. {now}</p>\n<form method=\"post\" action=\"{PATH}\">\n\
         <input type=\"hidden\" name=\"pomerium_redirect_uri\" value=\"{}\">\n<ul>\n",
        escaped(then)
    );
    for (position, user) in users.iter().enumerate() {
        let current = if signed_in == Some(position) { " aria-current=\"true\"" } else { "" };
        let groups = if user.groups.is_empty() { "no groups".to_owned() } else { user.groups.join(", ") };
        let name = if user.name.is_empty() { String::new() } else { format!("{} · ", user.name) };
        // a String takes every write
        let _ = writeln!(
            page,
            "<li><button name=\"user\" value=\"{}\"{current}>{}<small>{}{}</small></button></li>",
            escaped(&user.email),
            escaped(&user.email),
            escaped(&name),
            escaped(&groups)
        );
    }
    page.push_str("</ul>\n<button name=\"user\" value=\"\">Sign out</button>\n</form>\n</main>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    let replace = |text: String, (from, to): &(char, &str)| text.replace(*from, to);
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")]
        .iter()
        .fold(text.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_write_is_text() {
        let hostile = "\"><script>alert('x')</script>&";
        let list = format!("[{0},{0}]", r#"{"email":"E","name":"E","groups":["E"]}"#);
        let mut users: Vec<User> = serde_json::from_str(&list).expect("users");
        for user in &mut users {
            (user.email, user.name, user.groups) = (hostile.to_owned(), hostile.to_owned(), vec![hostile.to_owned()]);
        }
        for signed_in in [None, Some(0), Some(7)] {
            let page = render(&users, signed_in, hostile);
            assert!(!page.contains("<script") && !page.contains("'x'"), "{page}");
            assert_eq!(page.matches("aria-current").count(), usize::from(signed_in == Some(0)));
        }
    }
}
