//! Names become addresses, and only those that are public. A granted name must not lead into the host's own network, whoever
//! runs its DNS; a literal address never comes here, because it was granted as such.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks the system, and drops what is not public.
pub struct PublicOnly;

/// A name that leads to no public address.
#[derive(Debug)]
pub struct Refused {
    pub name: String,
    pub address: IpAddr,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` leads to the private address {}", self.name, self.address)
    }
}

impl std::error::Error for Refused {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(allowed(name.as_str(), found.collect())?.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name, or why there are none to be asked.
pub type Found = Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>>;

/// Of the addresses of a name those that may be asked. `localhost` means the machine itself and nothing else; it is reached
/// only where it was granted by that name.
pub fn allowed(name: &str, found: Vec<SocketAddr>) -> Found {
    let may = |address: &SocketAddr| match name {
        "localhost" => address.ip().is_loopback(),
        _ => is_public(address.ip()),
    };
    let (allowed, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(may);
    match (allowed.is_empty(), refused.first()) {
        (false, _) => Ok(allowed),
        (true, Some(address)) => Err(Box::new(Refused { name: name.to_owned(), address: address.ip() })),
        (true, None) => Err(Box::new(io::Error::new(io::ErrorKind::NotFound, format!("`{name}` has no address")))),
    }
}

/// Whether an address is one of the internet: not of this machine, its networks, or a special purpose (IANA's registries of
/// special-purpose addresses, for IPv4 and IPv6).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    let benchmarking = a == 198 && (b == 18 || b == 19);
    let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_documentation();
    !(a == 0 || a >= 224 || shared || protocols || benchmarking || special)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast is 2000::/3; of it Teredo (which hides an IPv4 address) and documentation are excepted.
    let special = a == 0x2001 && (b < 0x200 || b == 0xdb8) || a == 0x3fff;
    (0x2000..0x4000).contains(&a) && !special
}

/// The IPv4 address that an IPv6 address stands for: mapped (::ffff:0:0/96), translated (64:ff9b::/96), 6to4 (2002::/16).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the host's network against every spelling of an address in it.
    #[test]
    fn private_addresses_are_known_in_every_form() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "ff02::1",
            "::127.0.0.1",
            "3fff::1",
            "100::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "2002:101:101::"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_name_leads_to_public_addresses_only() {
        let at = |addresses: &[&str]| addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect::<Vec<_>>();
        let of = |name: &str, addresses: &[&str]| allowed(name, at(addresses)).map_err(|error| error.to_string());
        assert_eq!(of("api.example.com", &["10.0.0.1", "1.1.1.1"]).unwrap(), at(&["1.1.1.1"]));
        assert_eq!(of("api.example.com", &["127.0.0.1"]).unwrap_err(), "`api.example.com` leads to the private address 127.0.0.1");
        assert_eq!(of("localhost", &["127.0.0.1", "::1"]).unwrap().len(), 2);
        assert!(of("localhost", &["10.0.0.1"]).is_err());
        assert!(of("a.localhost", &["127.0.0.1"]).is_err());
        assert!(of("api.example.com", &[]).is_err());
    }
}
