//! Signing keys in a token: AWS-LC verifies what they sign.

use crate::{Token, code, in_fresh_token};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use strongroom_vault::{Pkcs11Signer, SigningAlgorithm};

const ALGORITHMS: [(&str, SigningAlgorithm, &dyn VerificationAlgorithm); 2] = [
    ("ed25519", SigningAlgorithm::Ed25519, &ED25519),
    ("ecdsa-p256-sha256", SigningAlgorithm::EcdsaP256Sha256, &ECDSA_P256_SHA256_FIXED),
];

#[test]
fn what_is_signed_verifies_by_the_public_key() {
    in_fresh_token("signer::what_is_signed_verifies_by_the_public_key", |token| {
        for (name, algorithm, judge) in ALGORITHMS {
            let made = Pkcs11Signer::create_new(&token.object(name), algorithm).unwrap();
            let found = Pkcs11Signer::open(&token.object(name)).unwrap();
            assert_eq!((found.algorithm(), found.algorithm().name()), (algorithm, name));
            assert_eq!(found.public_key(), made.public_key());
            let public = UnparsedPublicKey::new(judge, found.public_key());
            for message in [&b""[..], b"\"@method\": POST", &[0xff; 10_000]] {
                let signature = found.sign(message).unwrap();
                assert!(public.verify(message, &signature).is_ok(), "{name}");
                assert!(public.verify(b"another", &signature).is_err(), "{name}");
            }
        }
    });
}

#[test]
fn a_private_half_cannot_leave() {
    in_fresh_token("signer::a_private_half_cannot_leave", |token| {
        for (name, algorithm, _) in ALGORITHMS {
            Pkcs11Signer::create_new(&token.object(name), algorithm).unwrap();
        }
        let session = token.session();
        let found = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap();
        assert_eq!(found.len(), 2);
        for key in found {
            assert_eq!(session.get_attributes(key, &[AttributeType::Value]).unwrap_or_default(), []);
            let facts = session.get_attributes(key, &[AttributeType::NeverExtractable]).unwrap();
            assert_eq!(facts, [Attribute::NeverExtractable(true)]);
            assert!(session.update_attributes(key, &[Attribute::Extractable(true)]).is_err());
        }
    });
}

#[test]
fn a_label_names_one_pair() {
    in_fresh_token("signer::a_label_names_one_pair", |token| {
        let open = |label: &str| code(Pkcs11Signer::open(&token.object(label)));
        assert_eq!(open("key"), "keeping.object_must_be_the_only_one");
        for (_, algorithm, _) in ALGORITHMS {
            drop(Pkcs11Signer::create_new(&token.object("key"), algorithm));
        }
        assert_eq!(open("key"), "ok");
        let again = Pkcs11Signer::create_new(&token.object("key"), SigningAlgorithm::Ed25519);
        assert_eq!(code(again), "keeping.object_must_not_exist");
        assert_eq!(open("key"), "ok");
        let kek = format!("{}", token.object("key").with_label("kek"));
        kek.parse::<strongroom_vault::KekSource>().unwrap().create_new().unwrap();
        assert_eq!(open("kek"), "keeping.object_must_be_the_only_one");
    });
}

/// A pair as somebody else might have made it; a P-256 one unless the changes say otherwise.
fn put(token: &Token, label: &str, id: u8, curve: &[u8], private: &[Attribute]) {
    let both = [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(vec![id])];
    let public = [Attribute::EcParams(curve.to_vec()), Attribute::Verify(true), Attribute::Modifiable(true)];
    let usual = [Attribute::Private(true), Attribute::Sign(true), Attribute::Sensitive(true)];
    let mut secret: Vec<_> = both.iter().chain(&usual).cloned().collect();
    secret.extend_from_slice(private);
    let public: Vec<_> = both.iter().chain(&public).cloned().collect();
    token.session().generate_key_pair(&Mechanism::EccKeyPairGen, &public, &secret).unwrap();
}

#[test]
fn only_a_fit_pair_signs() {
    in_fresh_token("signer::only_a_fit_pair_signs", |token| {
        let (p256, p384) = (b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x06\x05\x2b\x81\x04\x00\x22");
        let check = |label: &str, expected: &str| {
            assert_eq!(code(Pkcs11Signer::open(&token.object(label))), expected, "{label}");
        };
        let stays = [Attribute::Extractable(false)];
        put(token, "fit", 1, p256, &stays);
        check("fit", "ok");
        put(token, "extractable", 2, p256, &[Attribute::Extractable(true)]);
        check("extractable", "keeping.object_must_fit");
        put(token, "p384", 3, p384, &stays);
        check("p384", "keeping.object_must_fit");
        // The public half of one pair under the name of another's private half.
        put(token, "mixed", 4, p256, &stays);
        put(token, "stranger", 5, p256, &stays);
        let session = token.session();
        let public = |label: &str| {
            let wanted = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Label(label.into())];
            session.find_objects(&wanted).unwrap()[0]
        };
        session.destroy_object(public("mixed")).unwrap();
        check("mixed", "keeping.object_must_be_the_only_one");
        let name = [Attribute::Label("mixed".into()), Attribute::Id(vec![4])];
        session.update_attributes(public("stranger"), &name).unwrap();
        check("mixed", "keeping.object_must_fit");
    });
}

#[test]
fn a_forgotten_session_signs_on() {
    in_fresh_token("signer::a_forgotten_session_signs_on", |token| {
        for (name, algorithm, judge) in ALGORITHMS {
            let signer = Pkcs11Signer::create_new(&token.object(name), algorithm).unwrap();
            token.session().logout().unwrap();
            let signature = signer.sign(b"on").unwrap();
            assert!(UnparsedPublicKey::new(judge, signer.public_key()).verify(b"on", &signature).is_ok());
        }
    });
}
