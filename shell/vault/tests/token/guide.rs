//! The commands of `docs/guide/keys-at-rest.md` make keys that its names find.

use crate::{Token, in_fresh_token};
use std::path::Path;
use std::process::Command;
use strongroom_testing::steps_aside;
use strongroom_vault::{Identity, KekSource, Pkcs11Signer, Secret, SigningAlgorithm, TokenObject, Vault};

const GUIDE: &str = include_str!("../../../../docs/guide/keys-at-rest.md");

/// The blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let begun = GUIDE.split("```").skip(1).step_by(2);
    begun.filter_map(|block| block.strip_prefix(language)).collect()
}

fn run(commands: &str, folder: &Path) {
    let output = Command::new("bash").args(["-euc", commands]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The guide's names, with its folder as it is here and its module where it is here.
fn names(token: &Token) -> Vec<String> {
    let folder = format!("file:{}/keys", token.folder.display());
    let module = token.module.display().to_string();
    let text = blocks("text\n").concat();
    let placed = text.replace("file:keys", &folder).replace("/usr/lib/softhsm/libsofthsm2.so", &module);
    placed.lines().map(str::to_owned).collect()
}

#[test]
fn the_guide_makes_keys_that_its_names_find() {
    if Command::new("pkcs11-tool").arg("--help").output().is_err() {
        return steps_aside("pkcs11-tool is missing (Debian: opensc)");
    }
    in_fresh_token("guide::the_guide_makes_keys_that_its_names_find", |token| {
        // The token that other tests find ready is in the guide's way.
        run("softhsm2-util --delete-token --token strongroom", &token.folder);
        let commands = blocks("sh\n")
            .concat()
            .replace("/usr/lib/softhsm/libsofthsm2.so", token.module.to_str().unwrap());
        run(&commands, &token.folder);
        let [kek, server] = names(token).try_into().unwrap();
        let file = KekSource::File(token.folder.join("keys/kek")).load().unwrap();
        let kek = kek.parse::<KekSource>().unwrap().load().unwrap();
        let vault = Vault::new(kek).with_former(file).unwrap();
        let (identity, secret) = (Identity::try_new("guide", "1").unwrap(), Secret::random(32).unwrap());
        let sealed = vault.seal(&identity, &secret).unwrap();
        assert!(vault.open(&identity, &sealed).unwrap() == secret);
        let signer = Pkcs11Signer::open(&server.parse::<TokenObject>().unwrap()).unwrap();
        assert_eq!(signer.algorithm(), SigningAlgorithm::Ed25519);
    });
}
