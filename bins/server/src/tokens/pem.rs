//! Public keys in PEM form (RFC 7468): a key (`PUBLIC KEY`), an RSA key in the form of PKCS #1
//! (`RSA PUBLIC KEY`), or a certificate, which contains a key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The public key of a text that checks signatures of an algorithm: RS256, ES256 or EdDSA.
pub(super) fn public_key(text: &[u8], algorithm: Algorithm) -> Option<DecodingKey> {
    let block = ::pem::parse(text).ok()?;
    let key = match block.tag() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => block.into_contents(),
        "CERTIFICATE" => {
            let certificate = CertificateDer::from(block.into_contents());
            let certificate = EndEntityCert::try_from(&certificate).ok()?;
            certificate.subject_public_key_info().to_vec()
        }
        _ => return None,
    };
    // The configuration takes no fourth one.
    if algorithm == Algorithm::RS256 {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key).ok()?;
        Some(DecodingKey::from_rsa_der(&key))
    } else if algorithm == Algorithm::ES256 {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key).ok()?;
        Some(DecodingKey::from_ec_der(&key))
    } else {
        ParsedPublicKey::new(&ED25519, &key).ok()?;
        Some(DecodingKey::from_ed_der(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Validation, decode};
    use serde_json::Value;

    // Made for these tests with openssl; the keys open nothing else.
    const RSA_KEY: &str = "\
MIIBCgKCAQEAvccMyjYM8M89hM/J4g5GBanSdLuLaLtAAOtJcYVmVc1dsN3yxPGB
5QcFiXTBDuN9jwVsZUMA/9HptibZNWXGFWqH8h532N4nFs/TYjmLGQn1jUtMtxH3
Xtfiz99PsX5QmXBM0qL6jw2E2izwxtEvEYNymlnSg8cfCfKei2bQNHT/ruthUWjh
eNOPCZBAA44LOd5Mi5ZFdUKx2I+qnjV/a7EEWTFO2eVLz4ALkD3yjZqU5IZqCYp7
m4p4lGiKDmYBoS8WKg40fPhDU8EGOl2ysOSTj77BtjBSN5ZJgSjsG88+UlJnwN6K
i2bSiIj/GsIIjUBk4TKp186KkRxDa4uIbQIDAQAB
";
    const RSA_INFO: &str = "\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvccMyjYM8M89hM/J4g5G
BanSdLuLaLtAAOtJcYVmVc1dsN3yxPGB5QcFiXTBDuN9jwVsZUMA/9HptibZNWXG
FWqH8h532N4nFs/TYjmLGQn1jUtMtxH3Xtfiz99PsX5QmXBM0qL6jw2E2izwxtEv
EYNymlnSg8cfCfKei2bQNHT/ruthUWjheNOPCZBAA44LOd5Mi5ZFdUKx2I+qnjV/
a7EEWTFO2eVLz4ALkD3yjZqU5IZqCYp7m4p4lGiKDmYBoS8WKg40fPhDU8EGOl2y
sOSTj77BtjBSN5ZJgSjsG88+UlJnwN6Ki2bSiIj/GsIIjUBk4TKp186KkRxDa4uI
bQIDAQAB
";
    const P_256_INFO: &str = "\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpjmJLgB9lG7aEhVDb8lVWWuywxR9
I/hyS7wOhTTaXaPTTnABAXdYxFwc11JINRYdi/kaRud0RRPwbnr6B6Wltw==
";
    const P_384_INFO: &str = "\
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEuMMi7/FihkCc6A1q3ZnsJfDOQ9jYkc93
bgo4QanWZ67qPIUiAp1Yh4/R6m/aZYvw5pOL0ibYtsJt/SbyoFLx/g0/GGYdsuWg
xS+iH0S1CO94bHeMbCBUSmVkhsxuufq0
";
    /// Of the same key on P-256.
    const CERTIFICATE: &str = "\
MIIBbDCCAROgAwIBAgIUT/b2y1Qt9/7Fnw+bEX7lnN5ohyEwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMzAxNzQzNDBaFw0yNjEyMDExNzQzNDBaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASmOYkuAH2UbtoS
FUNvyVVZa7LDFH0j+HJLvA6FNNpdo9NOcAEBd1jEXBzXUkg1Fh2L+RpG53RFE/Bu
evoHpaW3o1MwUTAdBgNVHQ4EFgQU0/XgWT3BTyOO+VppP4q7PfQ3YVkwHwYDVR0j
BBgwFoAU0/XgWT3BTyOO+VppP4q7PfQ3YVkwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNHADBEAiAQzfJXi53KMkEYZ9TS5t5wFxiRmxUl3ngFxsce5E2nVAIg
P8kNjmX3eL/08lqYwKnoGUc5Hd6OCY151HPRcxiKiT0=
";
    const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIn0.\
         NLvkVIwywDBcfdOH3H0UmYNN0BEv5tBfFxwmTRO1X5uKkPeT7yHUBLI2LWIXyeSjiOoxVMePyWzNziPFObltfU_HbFsoCAZK\
         loJX8Vd0cTP1mFfAtrl341LTTljBnlIrrKm0tzVBirSUomCD3NbdFwq7Y0Gd0mpgGMK_6Fe2HxQMI1b7-Kdl4BBdOlKGo11K\
         -ahw2NSZcXkIVxaWowVp0TJSgigyqXDCblLxgIkrnQF3C8KhG7LX8-4r-ZiW4qutVlnxNo4IvuLLqLAQdj3fPO8TvZzTqE-r\
         uvHBJdhZoWinL9lc-EtzgxxjuXVm4HpMQGLA6l--DudO5RzSgt3UGg";
    const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIn0.\
         u1tdkwrLcpt9LxlZ32Qtz0KwrBDrZW_sWVZdR9WU3wt_RrPr8ViXDhQxSXnM95ugfA67aA_1YbXWB-dfCqiyCw";

    fn pem(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
    }

    fn checks(label: &str, body: &str, algorithm: Algorithm, token: &str) -> bool {
        let Some(key) = public_key(pem(label, body).as_bytes(), algorithm) else {
            return false;
        };
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        decode::<Value>(token, &key, &validation).is_ok()
    }

    #[test]
    fn keys_of_every_form_check_what_they_signed() {
        let rsa = (Algorithm::RS256, RS256_TOKEN);
        let curve = (Algorithm::ES256, ES256_TOKEN);
        for (label, body, of, other) in [
            ("PUBLIC KEY", RSA_INFO, rsa, curve),
            ("RSA PUBLIC KEY", RSA_KEY, rsa, curve),
            ("PUBLIC KEY", P_256_INFO, curve, rsa),
            ("CERTIFICATE", CERTIFICATE, curve, rsa),
        ] {
            assert!(checks(label, body, of.0, of.1), "{label}");
            assert!(!checks(label, body, other.0, other.1), "{label}");
        }
    }

    #[test]
    fn what_is_no_key_for_the_algorithm_is_refused() {
        let is_refused = |text: &str, algorithm| public_key(text.as_bytes(), algorithm).is_none();
        let info = pem("PUBLIC KEY", P_256_INFO);
        assert!(!is_refused(&info, Algorithm::ES256));
        assert!(is_refused(&info, Algorithm::EdDSA));
        assert!(is_refused(&pem("PUBLIC KEY", P_384_INFO), Algorithm::ES256));
        assert!(is_refused(
            &pem("PRIVATE KEY", P_256_INFO),
            Algorithm::ES256
        ));
        // Cut anywhere, it is an error and no panic.
        for length in 0..info.trim_end().len() {
            assert!(is_refused(&info[..length], Algorithm::ES256), "{length}");
        }
    }
}
