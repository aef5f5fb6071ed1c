//! Signatures to verify: many, as the processor learns the branches of a single one and flatters the slower libraries.

use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};

/// Signatures under one key.
pub struct Pool {
    pub x: [u8; 32],
    pub y: [u8; 32],
    pub signed: Vec<Signed>,
}

/// A message with its signature, r ‖ s.
pub struct Signed {
    pub message: Vec<u8>,
    pub signature: [u8; 64],
}

impl Pool {
    /// 256 messages as long as Pomerium's usual tokens, signed by the key of this number (1 to 255).
    pub fn new(number: u8) -> Self {
        let key = SigningKey::from_slice(&[number; 32]).expect("a number below the order");
        let point = key.verifying_key().to_sec1_point(false);
        let sign = |i: u32| {
            let message = i.to_be_bytes().repeat(160);
            let signature: Signature = key.sign(&message);
            Signed { message, signature: signature.to_bytes().into() }
        };
        let coordinate = |bytes: Option<&_>| <[u8; 32]>::from(*bytes.expect("not compressed"));
        Self { x: coordinate(point.x()), y: coordinate(point.y()), signed: (0..256).map(sign).collect() }
    }

    /// The public key as 04 ‖ x ‖ y.
    pub fn uncompressed_point(&self) -> Vec<u8> {
        [&[4][..], &self.x, &self.y].concat()
    }
}
