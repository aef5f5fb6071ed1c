//! The real `openssl`, which makes the keys and checks what the crate makes of them.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// What `openssl` writes when it is called with these words and this input.
pub(crate) fn openssl(command: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(command.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the `openssl` command: apt-get install openssl");
    // A command that reads no input may be gone already
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("openssl runs");
    assert!(output.status.success(), "openssl {command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same as text.
pub(crate) fn openssl_text(command: &str, input: &[u8]) -> String {
    String::from_utf8(openssl(command, input)).expect("PEM is ASCII")
}
