//! Nothing secret is ever shown: not by a type, not by an error, not by a file that the vault writes.

use crate::{file, identity};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use strongroom_testing::leaks::{Leak, Scanner};
use strongroom_vault::sealed_box::{self, ReceiverKey, ReceiverSecret};
use strongroom_vault::{Identity, Kek, KekSource, Sealed, Secret, Vault};

/// Has one method for every type, and a second of the same name for types that can show themselves: for those the call
/// is ambiguous and does not compile.
macro_rules! cannot {
    ($type:ty, $($ability:path),+) => {$({
        trait Shows<Marker> {
            fn is_silent() -> bool {
                true
            }
        }
        impl<T: ?Sized> Shows<()> for T {}
        struct Shown;
        impl<T: ?Sized + $ability> Shows<Shown> for T {}
        assert!(<$type as Shows<_>>::is_silent());
    })+};
}

#[test]
fn a_secret_cannot_be_shown_or_copied() {
    cannot!(Secret, Debug, Display, Clone, Copy, ToString, std::hash::Hash, AsRef<[u8]>, PartialOrd);
    cannot!(Secret, serde::Serialize, std::ops::Deref, IntoIterator);
    cannot!(ReceiverSecret, Debug, Display, Clone, Copy, ToString, AsRef<[u8]>, serde::Serialize);
    cannot!(Kek, Display, serde::Serialize, AsRef<[u8]>);
    cannot!(Vault, Display, Clone, serde::Serialize);
}

#[test]
fn a_secret_goes_to_other_threads() {
    fn goes<T: Send + Sync>() {}
    goes::<Secret>();
    goes::<Kek>();
    goes::<Vault>();
    goes::<ReceiverSecret>();
}

/// Everything that is said in a run.
#[derive(Default)]
struct Said(String);

impl Said {
    fn shown(&mut self, value: &impl Debug) {
        self.0.push_str(&format!("{value:?}\n{value:#?}\n"));
    }

    fn refused<T, E: Error + 'static>(&mut self, result: Result<T, E>) {
        let error = result.err().unwrap();
        self.shown(&error);
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            self.0.push_str(&format!("{error}\n{error:?}\n"));
            cause = error.source();
        }
    }
}

/// The secrets of one run: the key, its text, a PIN, a credential, the receiver's key.
struct Run {
    kek: Secret,
    kek_text: String,
    pin: String,
    credential: Secret,
    receiver: ReceiverSecret,
}

impl Run {
    fn new() -> Self {
        let kek = Secret::random(32).unwrap();
        Self {
            kek_text: BASE64_STANDARD.encode(kek.expose()),
            kek,
            pin: "4711-0815-4711-0815".to_owned(),
            credential: Secret::random(48).unwrap(),
            receiver: ReceiverSecret::generate().unwrap(),
        }
    }

    fn scanner(&self) -> Scanner {
        let receiver = self.receiver.to_text();
        Scanner::new([
            ("kek", self.kek.expose()),
            ("kek text", self.kek_text.as_bytes()),
            ("pin", self.pin.as_bytes()),
            ("credential", self.credential.expose()),
            ("receiver", receiver.expose().strip_prefix(b"x25519-secret:").unwrap()),
        ])
    }

    /// Seals, opens and is refused in every way that this crate has without a token.
    fn all_that_is_said(&self) -> Said {
        let mut said = Said::default();
        let vault = Vault::new(Kek::from_secret(&self.kek).unwrap());
        let sealed = vault.seal(&identity("a.1"), &self.credential).unwrap();
        said.shown(&vault);
        said.shown(&sealed);
        said.shown(&sealed.kek_id());
        said.shown(&identity("a.1"));
        said.0.push_str(&sealed.to_string());
        said.refused(vault.open(&identity("a.2"), &sealed));
        said.refused(Vault::new(crate::kek(9)).open(&identity("a.1"), &sealed));
        said.refused(Vault::new(crate::kek(9)).with_former(crate::kek(9)));
        said.refused(Identity::try_new("a purpose", self.credential.expose_text().unwrap_or("ä")));
        said.refused(Kek::from_secret(&self.credential));
        // What should have been another argument: secrets in the place of something that is shown.
        said.refused(self.kek_text.parse::<Sealed>());
        said.refused(self.kek_text.parse::<KekSource>());
        let uri = |query: &str| format!("pkcs11:token=a;object=b?module-path=/p.so&{query}");
        said.refused(uri(&format!("pin-value={}", self.pin)).parse::<KekSource>());
        said.refused(uri(&format!("pin-source={}", self.pin)).parse::<KekSource>());
        let text = sealed_box::seal_to(&self.receiver.public(), b"info", &self.credential).unwrap();
        said.0.push_str(&text);
        said.shown(&self.receiver.public());
        said.refused(sealed_box::open(&self.receiver, b"other", &text));
        let private = self.receiver.to_text();
        said.refused(private.expose_text().unwrap().parse::<ReceiverKey>());
        said.refused(ReceiverSecret::from_text(&private.expose_text().unwrap()[1..]));
        self.files(&mut said);
        said
    }

    /// Key files that are refused, with a key in them.
    fn files(&self, said: &mut Said) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kek");
        for (content, mode) in [(self.kek_text.clone(), 0o644), (format!("{0}{0}", self.kek_text), 0o600)] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            said.refused(file(&path).load());
            said.refused(file(&path).create_new());
            fs::remove_file(&path).unwrap();
        }
        let made = folder.path().join("made");
        said.shown(&file(&made).create_new().unwrap());
        said.shown(&file(&made));
    }
}

#[test]
fn no_type_and_no_error_says_a_secret() {
    let run = Run::new();
    let said = run.all_that_is_said().0;
    assert!(said.len() > 4000, "much was said:\n{said}");
    assert_eq!(run.scanner().bytes("what is said", said.as_bytes()), []);
}

/// That the test above can fail: the same scanner finds each secret of the run where it is said.
#[test]
fn the_scanner_would_have_found_each() {
    let run = Run::new();
    let private = run.receiver.to_text();
    let said = format!(
        "{} {} {:?} {}",
        run.kek_text,
        run.pin,
        run.credential.expose(),
        private.expose_text().unwrap()
    );
    let found: std::collections::BTreeSet<String> =
        run.scanner().bytes("said", said.as_bytes()).into_iter().map(|leak: Leak| leak.secret).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["credential", "kek", "kek text", "pin", "receiver"]);
}
