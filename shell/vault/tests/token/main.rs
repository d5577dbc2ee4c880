//! Keys in a token, with SoftHSM2. It shows that the PKCS#11 path works, not that hardware protects anything.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect has failed"
)]

mod guide;
mod kek;
mod signer;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::session::{Session, UserType};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use strongroom_testing::steps_aside;
use strongroom_vault::{KeepingError, TokenObject};

const PIN: &str = "a pin of 17 chars";

/// Where Debian, Fedora and a build from source put the module.
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// Runs a test's body in a process of its own with a fresh token: SoftHSM2 is told of its folder by the environment,
/// which a test among others must not change.
fn in_fresh_token(test: &str, body: impl FnOnce(&Token)) {
    let Some(module) = MODULES.iter().map(PathBuf::from).find(|path| path.exists()) else {
        return steps_aside("SoftHSM2 is missing (Debian: softhsm2)");
    };
    if let Some(folder) = std::env::var_os("STRONGROOM_TEST_TOKEN") {
        return body(&Token { module, folder: folder.into() });
    }
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    fs::create_dir(folder.path().join("tokens")).unwrap();
    let tokens = folder.path().join("tokens");
    fs::write(&configuration, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    for (name, content) in [("pin", format!("{PIN}\n")), ("wrong-pin", "1234567890".to_owned())] {
        fs::write(folder.path().join(name), content).unwrap();
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o600)).unwrap();
    }
    for label in ["strongroom", "other"] {
        let mut utility = Command::new("softhsm2-util");
        utility.args(["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN]);
        let output = utility.env("SOFTHSM2_CONF", &configuration).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    let this = this.args(["--exact", test]).env("STRONGROOM_TEST_TOKEN", folder.path());
    let output = this.env("SOFTHSM2_CONF", &configuration).env("STRONGROOM_TEST_PIN", PIN).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The token of one test.
struct Token {
    module: PathBuf,
    folder: PathBuf,
}

impl Token {
    fn at(&self, path: &str, pin: &str) -> String {
        format!("pkcs11:{path}?module-path={}&pin-source={pin}", self.module.display())
    }

    fn pin_file(&self, name: &str) -> String {
        format!("file:{}", self.folder.join(name).display())
    }

    fn uri(&self, label: &str) -> String {
        self.at(&format!("token=strongroom;object={label}"), &self.pin_file("pin"))
    }

    fn object(&self, label: &str) -> TokenObject {
        self.uri(label).parse().unwrap()
    }

    /// The serial number, which the token was given when it was made.
    fn serial(&self) -> String {
        let slot = self.session().get_session_info().unwrap().slot_id();
        Pkcs11::new(&self.module).unwrap().get_token_info(slot).unwrap().serial_number().to_owned()
    }

    /// A session beside those of the vault, to look at and put things into the token.
    fn session(&self) -> Session {
        let module = Pkcs11::new(&self.module).unwrap();
        // The vault may have initialised it.
        drop(module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)));
        let slots = module.get_slots_with_initialized_token().unwrap();
        let ours = |slot: &&_| module.get_token_info(**slot).unwrap().label() == "strongroom";
        let session = module.open_rw_session(*slots.iter().find(ours).unwrap()).unwrap();
        // The vault may have logged in.
        drop(session.login(UserType::User, Some(&PIN.into())));
        session
    }
}

fn code<T>(result: Result<T, KeepingError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}
