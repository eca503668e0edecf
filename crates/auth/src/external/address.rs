//! Which addresses a provider may have. The check is made on the addresses to which the connection
//! is then opened, so a name that resolves differently the next time gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Where the metadata services of clouds answer, besides the link-local address that most have.
const CLOUD_METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressPolicy {
    /// Addresses of the public internet, by https.
    Public,
    /// Those of one's own network and machine too, by http as well. Link-local addresses and
    /// metadata services stay out.
    PrivateToo,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RefusedUrl {
    #[error("it is not https")]
    Scheme,
    #[error("it has no host")]
    Host,
    #[error("the address {0} is not one at which a provider may be")]
    Address(IpAddr),
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` has no address at which a provider may be")]
struct NoAllowedAddress(String);

impl AddressPolicy {
    /// Checks what can be told from the URL itself. A client asks no resolver for a host that is
    /// an address, so it is checked here; a name is checked once it is resolved.
    pub(super) fn check(self, url: &Url) -> Result<(), RefusedUrl> {
        match (url.scheme(), self) {
            ("https", _) | ("http", Self::PrivateToo) => {}
            _ => return Err(RefusedUrl::Scheme),
        }
        let address = match url.host().ok_or(RefusedUrl::Host)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if self.admits(address) {
            Ok(())
        } else {
            Err(RefusedUrl::Address(address))
        }
    }

    fn admits(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if CLOUD_METADATA.contains(&address) {
            return false;
        }
        match address {
            IpAddr::V4(address) => {
                is_public_v4(address)
                    || self == Self::PrivateToo && (address.is_loopback() || address.is_private())
            }
            IpAddr::V6(address) => {
                is_public_v6(address)
                    || self == Self::PrivateToo
                        && (address.is_loopback() || address.is_unique_local())
            }
        }
    }
}

impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|found| policy.admits(found.ip())).collect();
            if allowed.is_empty() {
                return Err(NoAllowedAddress(name.as_str().to_owned()).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Globally reachable by the IANA IPv4 Special-Purpose Address Registry (RFC 6890).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b)) // shared by a carrier's customers, RFC 6598
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99) // 6to4 relays
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 224; // multicast, reserved, broadcast
    !is_special
}

/// Global unicast (RFC 4291), without the blocks that are set aside or lead elsewhere: 2001::/23
/// (Teredo among them), 2001:db8::/32, 2002::/16 (6to4) and 3fff::/20. NAT64, unique-local,
/// link-local and multicast addresses lie outside 2000::/3.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_special =
        (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    (0x2000..0x4000).contains(&a) && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(policy: AddressPolicy, url: &str) -> bool {
        policy.check(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn a_public_address_by_https_is_admitted() {
        for url in [
            "https://login.example.com/",
            "https://93.184.215.14/",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        ] {
            assert!(admitted(AddressPolicy::Public, url), "{url}");
        }
        assert!(!admitted(
            AddressPolicy::Public,
            "http://login.example.com/"
        ));
        assert!(!admitted(AddressPolicy::PrivateToo, "file:///etc/passwd"));
    }

    #[test]
    fn no_spelling_of_an_inner_address_is_admitted() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[::7f00:1]",
            "[64:ff9b::a00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[fc00::1]",
            "[ff02::1]",
        ] {
            let url = format!("https://{host}/");
            assert!(!admitted(AddressPolicy::Public, &url), "{url}");
        }
    }

    #[test]
    fn link_local_addresses_and_cloud_metadata_are_never_admitted() {
        for host in [
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "100.100.100.200",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            let url = format!("http://{host}/latest/meta-data/");
            assert!(!admitted(AddressPolicy::PrivateToo, &url), "{url}");
        }
        for host in ["127.0.0.1", "[::1]", "10.0.0.1", "[fd00::1]"] {
            let url = format!("http://{host}/");
            assert!(admitted(AddressPolicy::PrivateToo, &url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_resolves_to_nothing() {
        let name = || "localhost".parse().unwrap();
        let refused = AddressPolicy::Public.resolve(name()).await;
        let error = refused.map(Iterator::count).unwrap_err();
        assert!(error.to_string().contains("`localhost`"), "{error}");
        let found = AddressPolicy::PrivateToo.resolve(name()).await.unwrap();
        assert!(found.count() > 0);
    }
}
