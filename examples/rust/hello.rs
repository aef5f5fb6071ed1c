//! Greets the user of the token on standard input.

fn main() -> Result<(), pomerium_jwt::Error> {
    let verifier = pomerium_jwt::Verifier::from_env()?; // once per application
    let header = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
    let identity = verifier.verify(header.trim_end())?;
    println!("Hello {}", identity.email.unwrap_or_default());
    Ok(())
}
