use pomerium_jwt_es256::{Key, Way};
use p256::ecdsa::{SigningKey, Signature, signature::Signer as _};
fn main() {
    let signing = SigningKey::from_slice(&[0x42; 32]).unwrap();
    let p = signing.verifying_key().to_sec1_point(false);
    let key = Key::new(p.x().unwrap().as_slice().try_into().unwrap(), p.y().unwrap().as_slice().try_into().unwrap()).unwrap();
    let pool: Vec<_> = (0..256u32).map(|i| { let m = [i.to_le_bytes().as_slice(), &[7; 500]].concat(); let s: Signature = signing.sign(&m); (m, s.to_bytes()) }).collect();
    let mut best = [f64::MAX; 2];
    for _ in 0..40 {
        for (i, way) in Way::all().iter().enumerate() {
            let t = std::time::Instant::now();
            for (m, s) in &pool { assert!(key.verify_by(*way, m, s).is_ok()); }
            best[i] = best[i].min(t.elapsed().as_secs_f64() / 256.0 * 1e6);
        }
    }
    println!("{best:?}");
}
