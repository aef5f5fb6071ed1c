//! Private keys in PEM (RFC 7468), in every form `openssl` writes and Pomerium's `signing_key` takes.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::{
    SecretKey,
    pkcs8::{ObjectIdentifier, PrivateKeyInfoRef},
};
use pem_rfc7468::{Decoder, LineEnding};
use ring::signature::RsaKeyPair;

use crate::key::{KeyError, PrivateKey, RsaKey, SigningKey};

pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// All private keys of the text, at least one.
pub(crate) fn private_keys(text: &str) -> Result<Vec<SigningKey>, KeyError> {
    let text = if text.contains("-----BEGIN ") { text.to_owned() } else { from_base64(text)? };
    let blocks = blocks(&text)?;
    let keys: Vec<SigningKey> =
        blocks.iter().filter_map(|block| block.private_key().transpose()).collect::<Result<_, _>>()?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    Err(if blocks.iter().any(Block::is_public) { KeyError::PublicKeyOnly } else { KeyError::NoPrivateKey })
}

/// The PEM of one block.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).expect("a key is short")
}

struct Block {
    label: String,
    der: Vec<u8>,
}

impl Block {
    /// The key of this block; `None` for a block that is none.
    fn private_key(&self) -> Result<Option<SigningKey>, KeyError> {
        match self.label.as_str() {
            "EC PRIVATE KEY" => p256(SecretKey::from_sec1_der(&self.der).ok()),
            "RSA PRIVATE KEY" => self.rsa(RsaKeyPair::from_der(&self.der).ok()),
            "PRIVATE KEY" => self.pkcs8(),
            "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
            other if other.ends_with("PRIVATE KEY") => Err(KeyError::OtherKind),
            _ => return Ok(None),
        }
        .map(Some)
    }

    fn pkcs8(&self) -> Result<SigningKey, KeyError> {
        let info = PrivateKeyInfoRef::try_from(self.der.as_slice()).map_err(|_| KeyError::Damaged)?;
        match info.algorithm.oid {
            EC_PUBLIC_KEY => p256(SecretKey::try_from(info).ok()),
            RSA_ENCRYPTION => self.rsa(RsaKeyPair::from_pkcs8(&self.der).ok()),
            _ => Err(KeyError::OtherKind),
        }
    }

    fn rsa(&self, pair: Option<RsaKeyPair>) -> Result<SigningKey, KeyError> {
        let pair = pair.ok_or(KeyError::RsaRejected)?;
        Ok(SigningKey(PrivateKey::Rsa(Arc::new(RsaKey { pair, pem: encode(&self.label, &self.der) }))))
    }

    fn is_public(&self) -> bool {
        self.label.ends_with("PUBLIC KEY") || self.label == "CERTIFICATE"
    }
}

fn p256(key: Option<SecretKey>) -> Result<SigningKey, KeyError> {
    let key = key.ok_or(KeyError::NotP256)?;
    Ok(SigningKey(PrivateKey::P256(key.into())))
}

fn from_base64(text: &str) -> Result<String, KeyError> {
    let text: String = text.split_whitespace().collect();
    let decoded = STANDARD.decode(text).map_err(|_| KeyError::NotPem)?;
    String::from_utf8(decoded).map_err(|_| KeyError::NotPem)
}

/// The blocks of the text, and nothing of what stands between them.
fn blocks(text: &str) -> Result<Vec<Block>, KeyError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("-----BEGIN ") {
        rest = &rest[begin..];
        let end = rest.find("-----END ").ok_or(KeyError::Damaged)?;
        let length = end + rest[end..].find('\n').unwrap_or(rest.len() - end);
        blocks.push(block(&rest[..length])?);
        rest = &rest[length..];
    }
    if blocks.is_empty() { Err(KeyError::NotPem) } else { Ok(blocks) }
}

fn block(text: &str) -> Result<Block, KeyError> {
    // RFC 1421 headers, which `openssl` still writes for an encrypted SEC1 or PKCS#1 key
    if text.contains("Proc-Type:") {
        return Err(KeyError::Encrypted);
    }
    // A key pasted into YAML is indented
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let lines = lines.join("\n");
    let mut decoder = Decoder::new_detect_wrap(lines.as_bytes()).map_err(|_| KeyError::Damaged)?;
    let mut der = Vec::new();
    decoder.decode_to_end(&mut der).map_err(|_| KeyError::Damaged)?;
    Ok(Block { label: decoder.type_label().to_owned(), der })
}
