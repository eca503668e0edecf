//! Who is on the other side: the address of the client, behind whatever proxies there are.
//!
//! Anybody can send `X-Forwarded-For`. It is believed only as far as proxies of ours wrote it: each
//! appends the address that it was connected from, so the header is read from its end, and the
//! first address that is no proxy of ours is the client's. What stands before it is hearsay.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap, web};
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// Nobody has more proxies in a row.
const MAX_HOPS: usize = 16;
/// An IPv6 customer has a whole network of this size (RFC 6177), and changes addresses at will.
const IPV6_CUSTOMER_PREFIX: u8 = 64;

/// App data: the proxies whose `X-Forwarded-For` is believed. Without it, none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidProxy {
    #[error("`{0}` is neither an IP address nor a network")]
    Malformed(String),
    #[error("`{0}` is everybody")]
    Everybody(String),
}

impl TrustedProxies {
    /// Reads addresses (`10.0.0.7`) and networks (`10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// The first that is neither, or that would let every client choose its own address.
    pub fn parse(proxies: &[impl AsRef<str>]) -> Result<Self, InvalidProxy> {
        let parse = |text: &str| {
            let network = text
                .parse()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            let network: IpNet = network.map_err(|_| InvalidProxy::Malformed(text.to_owned()))?;
            if network.prefix_len() == 0 {
                return Err(InvalidProxy::Everybody(text.to_owned()));
            }
            Ok(network)
        };
        let networks = proxies.iter().map(|proxy| parse(proxy.as_ref()));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// The client's address: the peer's, or the one that our proxies name.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
        let hops = lines.iter().rev().flat_map(|line| {
            // Text that is no ASCII is no address either: nothing before it is believed.
            line.to_str().unwrap_or("-").rsplit(',')
        });
        for hop in hops.take(MAX_HOPS) {
            if !self.contains(client) {
                break;
            }
            match parse_hop(hop) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The client's address, as an extractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        // Only tests have requests without a peer.
        let peer = request
            .peer_addr()
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
        let proxies = request.app_data::<web::Data<TrustedProxies>>();
        let client = proxies.map_or(peer.to_canonical(), |proxies| {
            proxies.client(peer, request.headers())
        });
        Self(client)
    }

    /// Whom limits count as one: an IPv4 address, or an IPv6 network of 64 bits.
    #[must_use]
    pub fn customer(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let bits = address.to_bits() >> IPV6_CUSTOMER_PREFIX << IPV6_CUSTOMER_PREFIX;
                IpAddr::V6(bits.into())
            }
        }
    }
}

impl FromRequest for ClientAddress {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = bare.unwrap_or(hop).parse();
    let address = address.or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::{
        http::header::{HeaderName, HeaderValue},
        test::TestRequest,
    };

    use super::*;

    const FORWARDED: HeaderName = HeaderName::from_static(X_FORWARDED_FOR);

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            let value = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(FORWARDED, value);
        }
        let proxies = TrustedProxies::parse(proxies).unwrap();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn nobody_chooses_their_own_address() {
        let ours: &[&str] = &["10.0.0.0/8", "fd00::/8", "192.0.2.7"];
        let cases: &[(&str, &[&str], &[&str], &str)] = &[
            // The proxies, what was sent, and whom we see, from a peer at 203.0.113.5.
            ("no proxies, no header", &[], &[], "203.0.113.5"),
            ("no proxies, a header", &[], &["1.2.3.4"], "203.0.113.5"),
            ("a stranger's header", ours, &["1.2.3.4"], "203.0.113.5"),
            (
                "a stranger as a proxy",
                ours,
                &["1.2.3.4, 10.0.0.1"],
                "203.0.113.5",
            ),
        ];
        for (what, proxies, forwarded, expected) in cases {
            assert_eq!(
                client(proxies, "203.0.113.5", forwarded),
                *expected,
                "{what}"
            );
        }
        let cases: &[(&str, &[&str], &str)] = &[
            // What was sent, and whom we see, from our own proxy at 10.0.0.1.
            ("the proxy itself", &[], "10.0.0.1"),
            ("a client", &["198.51.100.1"], "198.51.100.1"),
            (
                "forged in front",
                &["1.2.3.4, 198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "a proxy forged in front",
                &["10.0.0.9, 198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "forged in a line before",
                &["1.2.3.4", "198.51.100.1"],
                "198.51.100.1",
            ),
            (
                "two proxies",
                &["1.2.3.4, 198.51.100.1, 192.0.2.7"],
                "198.51.100.1",
            ),
            ("all are proxies", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("nonsense", &["unknown"], "10.0.0.1"),
            ("nonsense in front", &["_x, 10.0.0.2"], "10.0.0.2"),
            (
                "nonsense at the end",
                &["198.51.100.1, <script>"],
                "10.0.0.1",
            ),
            ("empty", &[""], "10.0.0.1"),
            ("empty at the end", &["198.51.100.1,"], "10.0.0.1"),
            ("no ASCII", &["198.51.100.1, ü"], "10.0.0.1"),
            ("a port", &["198.51.100.1:4711"], "198.51.100.1"),
            ("IPv6", &["2001:db8::1"], "2001:db8::1"),
            ("IPv6 in brackets", &["[2001:db8::1]"], "2001:db8::1"),
            ("IPv6 with a port", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("IPv4 as IPv6", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ];
        for (what, forwarded, expected) in cases {
            assert_eq!(client(ours, "10.0.0.1", forwarded), *expected, "{what}");
        }
        let mapped = client(ours, "::ffff:10.0.0.1", &["198.51.100.1"]);
        assert_eq!(mapped, "198.51.100.1", "a proxy on a dual-stack socket");
    }

    #[test]
    fn a_header_of_any_length_is_read_in_bounded_time() {
        let forwarded = ["10.0.0.1, "; 1000].concat() + "10.0.0.2";
        assert_eq!(
            client(&["10.0.0.0/8"], "10.0.0.1", &[&forwarded]),
            "10.0.0.1"
        );
    }

    #[test]
    fn a_customer_is_an_ipv4_address_or_an_ipv6_network() {
        let customer = |text: &str| ClientAddress(text.parse().unwrap()).customer().to_string();
        assert_eq!(customer("192.0.2.1"), "192.0.2.1");
        assert_eq!(customer("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(customer("2001:db8:1:2::"), customer("2001:db8:1:2:ffff::1"));
        assert_ne!(customer("2001:db8:1:2::"), customer("2001:db8:1:3::"));
    }

    #[test]
    fn what_is_no_network_or_everybody_is_refused() {
        let malformed = |text: &str| Err(InvalidProxy::Malformed(text.to_owned()));
        let everybody = |text: &str| Err(InvalidProxy::Everybody(text.to_owned()));
        for text in ["", "proxy.example", "10.0.0.0/33", "10.0.0.1:80", "10.0.0"] {
            assert_eq!(TrustedProxies::parse(&[text]), malformed(text));
        }
        for text in ["0.0.0.0/0", "::/0"] {
            assert_eq!(TrustedProxies::parse(&[text]), everybody(text));
        }
    }

    #[test]
    fn without_proxies_the_peer_is_the_client() {
        let request = TestRequest::default()
            .peer_addr("[::ffff:192.0.2.1]:80".parse().unwrap())
            .insert_header((FORWARDED, "1.2.3.4"))
            .to_http_request();
        let seen = ClientAddress::of(&request).0;
        assert_eq!(seen, "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
