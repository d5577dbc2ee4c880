//! Why a key-encryption key or a token cannot be used. No text here contains a byte of a key or a PIN.

use std::path::PathBuf;
use thiserror::Error;

/// A rule that a key's keeping broke, or a part that failed. [`KeepingError::code`] never changes meaning.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeepingError {
    /// An option that names no keeping place.
    #[error("write file:/PATH, env:NAME or pkcs11:token=..;object=..?module-path=..&pin-source=.. ({0})")]
    SourceMustBeWellFormed(&'static str),
    /// A PIN on a command line is seen by every process of the machine.
    #[error("a PIN must not stand in an option; name its file with pin-source=file:/PATH")]
    PinMustNotBeInTheOption,
    /// Not 32 bytes of base64.
    #[error("a key is 32 bytes as base64, such as `openssl rand -base64 32` writes")]
    KekMustBe32Bytes,
    /// A symbolic link, folder, pipe or device.
    #[error("{} must be a regular file", .0.display())]
    FileMustBeRegular(PathBuf),
    /// Somebody else's file.
    #[error("{} must belong to the user that this process runs as", .0.display())]
    FileMustBelongToTheUser(PathBuf),
    /// A file that others may read or write.
    #[error("{} has mode {mode:04o}; `chmod 600` or `chmod 400` it", path.display())]
    FileMustBePrivate {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file that is too long for a key or a PIN.
    #[error("{} is longer than a key or a PIN can be", .0.display())]
    FileMustBeShort(PathBuf),
    /// A folder in which everybody may put a file.
    #[error("{} is writable by everybody; keep the file in a folder of your own", .0.display())]
    FolderMustNotBeWritableByAll(PathBuf),
    /// A key would be overwritten.
    #[error("{} exists already; a key is never overwritten", .0.display())]
    FileMustNotExist(PathBuf),
    /// The file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    FileFailed {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// No such variable.
    #[error("the environment variable {0} is not set, or is no text")]
    VariableMustBeSet(String),
    /// A place where no key can be made.
    #[error("a key can be made in a file or a token, not in the environment")]
    KekMustBeMadeElsewhere,
    /// The program was built without the feature `pkcs11`.
    #[error("this program was built without PKCS#11")]
    Pkcs11MustBeBuiltIn,
    /// No token, or more than one, fits.
    #[error("exactly one token must fit {wanted}; {found} do")]
    TokenMustBeTheOnlyOne {
        /// What was looked for.
        wanted: String,
        /// How many fit.
        found: usize,
    },
    /// No object, or more than one, fits.
    #[error("exactly one {kind} must have the label {label:?}; {found} do")]
    ObjectMustBeTheOnlyOne {
        /// What kind of object.
        kind: &'static str,
        /// Its label.
        label: String,
        /// How many fit.
        found: usize,
    },
    /// An object of the label exists already.
    #[error("a {kind} with the label {label:?} exists already; a key is never overwritten")]
    ObjectMustNotExist {
        /// What kind of object.
        kind: &'static str,
        /// Its label.
        label: String,
    },
    /// A key that can leave the token, or does not fit its use.
    #[error("the key {label:?} is unfit: {reason}")]
    ObjectMustFit {
        /// Its label.
        label: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The token refused or did not answer.
    #[error("the token failed at {doing}")]
    TokenFailed {
        /// What was asked of it.
        doing: &'static str,
        /// What the token or its module says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    RandomFailed,
}

impl KeepingError {
    /// The stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceMustBeWellFormed(_) => "keeping.source_must_be_well_formed",
            Self::PinMustNotBeInTheOption => "keeping.pin_must_not_be_in_the_option",
            Self::KekMustBe32Bytes => "keeping.kek_must_be_32_bytes",
            Self::FileMustBeRegular(_) => "keeping.file_must_be_regular",
            Self::FileMustBelongToTheUser(_) => "keeping.file_must_belong_to_the_user",
            Self::FileMustBePrivate { .. } => "keeping.file_must_be_private",
            Self::FileMustBeShort(_) => "keeping.file_must_be_short",
            Self::FolderMustNotBeWritableByAll(_) => "keeping.folder_must_not_be_writable_by_all",
            Self::FileMustNotExist(_) => "keeping.file_must_not_exist",
            Self::FileFailed { .. } => "keeping.file_failed",
            Self::VariableMustBeSet(_) => "keeping.variable_must_be_set",
            Self::KekMustBeMadeElsewhere => "keeping.kek_must_be_made_elsewhere",
            Self::Pkcs11MustBeBuiltIn => "keeping.pkcs11_must_be_built_in",
            Self::TokenMustBeTheOnlyOne { .. } => "keeping.token_must_be_the_only_one",
            Self::ObjectMustBeTheOnlyOne { .. } => "keeping.object_must_be_the_only_one",
            Self::ObjectMustNotExist { .. } => "keeping.object_must_not_exist",
            Self::ObjectMustFit { .. } => "keeping.object_must_fit",
            Self::TokenFailed { .. } => "keeping.token_failed",
            Self::RandomFailed => "keeping.random_failed",
        }
    }
}
