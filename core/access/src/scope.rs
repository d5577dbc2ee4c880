//! What a key may be used for: scope, environment, networks, and the grant that holds them together.

use crate::name::PrincipalId;
use crate::refusal::AccessRefusal;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Networks that one key may list.
const NETWORKS_MAX: usize = 32;
/// Scopes that one key may hold.
const SCOPES_MAX: usize = 32;

/// One permission, `noun` or `noun:verb`, each lower-case letters, digits and hyphens. A scope that begins with
/// `app:` belongs to the application behind the gate; Strongroom gives it no meaning of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl Scope {
    /// Read what is published and one's own orders.
    pub const READ: &str = "read";
    /// Submit and cancel orders.
    pub const ORDERS_WRITE: &str = "orders:write";
    /// Execute, settle and enter late orders.
    pub const ORDERS_MANAGE: &str = "orders:manage";
    /// Record and correct reference rates.
    pub const PRICES_WRITE: &str = "prices:write";
    /// Strike NAV.
    pub const NAV_STRIKE: &str = "nav:strike";
    /// Open, halt and resume a fund, pay fees and expenses, rebalance.
    pub const FUND_ADMIN: &str = "fund:admin";
    /// Move coins between the fund's balances.
    pub const CUSTODY_WRITE: &str = "custody:write";
    /// Approve movements out of the reserve.
    pub const RESERVES_APPROVE: &str = "reserves:approve";
    /// Issue and revoke keys, enrol principals.
    pub const KEYS_ADMIN: &str = "keys:admin";
    /// Read the whole state, the log and every participant's orders.
    pub const AUDIT_READ: &str = "audit:read";
    /// Read the server's figures.
    pub const METRICS_READ: &str = "metrics:read";
    /// Follow what stands out among requests.
    pub const SECURITY_READ: &str = "security:read";

    /// Every scope with a meaning here.
    pub const ALL: [&str; 12] = [
        Self::READ,
        Self::ORDERS_WRITE,
        Self::ORDERS_MANAGE,
        Self::PRICES_WRITE,
        Self::NAV_STRIKE,
        Self::FUND_ADMIN,
        Self::CUSTODY_WRITE,
        Self::RESERVES_APPROVE,
        Self::KEYS_ADMIN,
        Self::AUDIT_READ,
        Self::METRICS_READ,
        Self::SECURITY_READ,
    ];

    /// Refuses text that is no scope.
    pub fn try_new(text: &str) -> Result<Self, AccessRefusal> {
        let word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let fits = text.len() <= 64 && text.split(':').count() <= 2 && text.split(':').all(word);
        let known = text.starts_with("app:") || Self::ALL.contains(&text);
        if fits && known {
            Ok(Self(text.to_owned()))
        } else {
            Err(AccessRefusal::ScopeMustBeKnown(text.into()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it belongs to the application behind the gate.
    pub fn is_of_application(&self) -> bool {
        self.0.starts_with("app:")
    }

    /// Whether a key with it can change nothing: of the application's own scopes `app:read` and `app:NAME-read`. A bearer
    /// key, which is shown with every request, may have no other.
    pub fn is_read_only(&self) -> bool {
        matches!(self.as_str(), Self::READ | Self::AUDIT_READ | Self::METRICS_READ | Self::SECURITY_READ)
            || self.0.strip_prefix("app:").is_some_and(|name| name == "read" || name.ends_with("-read"))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Scope {
    type Err = AccessRefusal;

    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        Self::try_new(text)
    }
}

impl TryFrom<String> for Scope {
    type Error = AccessRefusal;

    fn try_from(text: String) -> Result<Self, AccessRefusal> {
        Self::try_new(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

/// Which installation a key is for. A key of one is refused by every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// A developer's own.
    Dev,
    /// For trying out.
    Test,
    /// Real money.
    Live,
}

impl Environment {
    /// The name, as in a bearer key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = AccessRefusal;

    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        let all = [Self::Dev, Self::Test, Self::Live];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| AccessRefusal::name(text))
    }
}

/// From where a key may be used; empty is from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Refuses a list that is too long. Host bits are cleared, so a network has one form.
    pub fn try_new(networks: impl IntoIterator<Item = IpNet>) -> Result<Self, AccessRefusal> {
        let mut networks: Vec<IpNet> = networks.into_iter().map(|network| network.trunc()).collect();
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > NETWORKS_MAX {
            return Err(AccessRefusal::ListMustBeBounded { what: "networks", most: NETWORKS_MAX });
        }
        Ok(Self(networks))
    }

    /// Whether an address is inside. An IPv4 address that arrives in its IPv6 form is the IPv4 address.
    pub fn allow(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// The networks.
    pub fn as_slice(&self) -> &[IpNet] {
        &self.0
    }
}

/// What a lineage is for and whose it is. It does not change from version to version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose.
    pub principal: PrincipalId,
    /// Which installation.
    pub environment: Environment,
    /// What for.
    pub scopes: BTreeSet<Scope>,
    /// From where.
    #[serde(default)]
    pub networks: Networks,
    /// Whom to ask about it: an opaque name, at most 64 printable characters.
    pub owner: String,
    /// What its nonces must be.
    #[serde(default)]
    pub replay: ReplayMode,
}

/// What the nonce of a signed request must be, beside new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayMode {
    /// Whatever the signer draws.
    #[default]
    Nonce,
    /// Eight zero bytes and a number, big-endian, that was not used and is at most 1,023 behind the highest (RFC 6479):
    /// for those who want a gap or a step back to be seen.
    Sequence,
    /// A challenge that this server issued: nothing that was signed ahead of time is let in.
    Challenge,
}

impl ReplayMode {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nonce => "nonce",
            Self::Sequence => "sequence",
            Self::Challenge => "challenge",
        }
    }
}

impl FromStr for ReplayMode {
    type Err = AccessRefusal;

    fn from_str(text: &str) -> Result<Self, AccessRefusal> {
        let all = [Self::Nonce, Self::Sequence, Self::Challenge];
        all.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| AccessRefusal::name(text))
    }
}

impl Grant {
    /// Refuses a grant of nothing, of too much, or with an unreadable owner.
    pub fn check(&self) -> Result<(), AccessRefusal> {
        if self.scopes.is_empty() || self.scopes.len() > SCOPES_MAX {
            return Err(AccessRefusal::ListMustBeBounded { what: "scopes", most: SCOPES_MAX });
        }
        let printable = self.owner.len() <= 64 && !self.owner.chars().any(char::is_control);
        if printable { Ok(()) } else { Err(AccessRefusal::name(&self.owner)) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot make its input has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_known_or_the_applications() {
        for (text, fits) in [
            ("read", true),
            ("orders:write", true),
            ("app:withdraw", true),
            ("orders:delete", false),
            ("*", false),
            ("app:", false),
            ("app:a:b", false),
            ("Read", false),
        ] {
            assert_eq!(Scope::try_new(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn only_the_word_read_only_reads() {
        for (text, only_reads) in [
            ("read", true),
            ("audit:read", true),
            ("metrics:read", true),
            ("security:read", true),
            ("app:read", true),
            ("app:wallets-read", true),
            ("app:spread", false),
            ("app:thread", false),
            ("app:read-write", false),
            ("orders:write", false),
            ("reserves:approve", false),
        ] {
            assert_eq!(Scope::try_new(text).unwrap().is_read_only(), only_reads, "{text}");
        }
    }

    #[test]
    fn networks_take_an_address_in_either_of_its_forms() {
        let networks =
            Networks::try_new(["10.1.2.3/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]).unwrap();
        for (address, inside) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("2001:db8::1", true),
            ("::1", false),
        ] {
            assert_eq!(networks.allow(address.parse().unwrap()), inside, "{address}");
        }
        assert!(Networks::default().allow("::1".parse().unwrap()));
    }
}
