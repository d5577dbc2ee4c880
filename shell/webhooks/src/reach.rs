//! Where webhooks may go. Whoever names a URL must not make this machine speak to its own network.

use http::Uri;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use strongroom_webhook::WebhookRefusal;

/// First address and bits of the IPv4 networks that are not public: the special-purpose registry of IANA (RFC 6890), and
/// the one public address under which a cloud (Azure) serves metadata to its own machines.
const NOT_PUBLIC_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// What of 2000::/3 is not public: IETF protocols with Teredo, documentation twice, and 6to4, which carries an IPv4 address.
const NOT_PUBLIC_V6: &[(u128, u32)] =
    &[(0x2001_0000 << 96, 23), (0x2001_0db8 << 96, 32), (0x2002_0000 << 96, 16), (0x3fff_0000 << 96, 20)];

/// Which addresses may be delivered to: public ones, and networks that are named.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    allowed: Vec<IpNet>,
}

impl Reach {
    /// Public addresses only.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Public addresses and these networks; to these also without TLS.
    #[must_use]
    pub fn allowing(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether an address may be connected to. One of IPv4 in the clothes of IPv6 is judged as what it is.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.is_allowed(address) || is_public(address)
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Reads the URL of an endpoint. What its name stands for is looked at with every attempt.
    ///
    /// # Errors
    /// [`WebhookRefusal::UrlMustBePublic`] where it is no HTTPS URL with a host, names a user, has a fragment, or is an
    /// address that is not permitted. Without TLS only addresses of the named networks are taken.
    pub fn check(&self, url: &str) -> Result<Uri, WebhookRefusal> {
        let wrong = |why: &str| WebhookRefusal::UrlMustBePublic(format!("`{url}` {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') || url.contains('#') {
            return Err(wrong("names a user or a part of a page"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let address: Option<IpAddr> = host.parse().ok();
        match (uri.scheme_str(), address) {
            (Some("https" | "http"), Some(address)) if !self.permits(address) => {
                Err(wrong("is an address of a network that nothing is delivered into"))
            }
            (Some("https"), _) => Ok(uri),
            (Some("http"), Some(address)) if self.is_allowed(address.to_canonical()) => Ok(uri),
            _ => Err(wrong("is not https")),
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|(first, bits)| {
            let shift = 32_u32.saturating_sub(*bits);
            address.to_bits() >> shift == Ipv4Addr::from(*first).to_bits() >> shift
        }),
        IpAddr::V6(address) => {
            let within = |first: u128, bits: u32| {
                let shift = 128_u32.saturating_sub(bits);
                address.to_bits() >> shift == Ipv6Addr::from(first).to_bits() >> shift
            };
            within(0x2000_u128 << 112, 3) && !NOT_PUBLIC_V6.iter().any(|(first, bits)| within(*first, *bits))
        }
    }
}
