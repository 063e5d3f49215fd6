//! Address: which addresses a URL of a feed may lead to. Pure.
//!
//! **Invariant:** what is not surely a public host is refused: of IPv6 only global unicast is
//! taken, less what wraps IPv4 in one way or another, because behind a gateway a wrapped private
//! address is a private address (RFC 6890 and its registry, seen 2026-08).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 networks that are no public hosts.
const REFUSED_V4: &[Ipv4Net] = &[
    v4([0, 0, 0, 0], 8),        // this network
    v4([10, 0, 0, 0], 8),       // private
    v4([100, 64, 0, 0], 10),    // carrier-grade NAT, and the metadata of Alibaba
    v4([127, 0, 0, 0], 8),      // loopback
    v4([168, 63, 129, 16], 32), // the host of a machine on Azure
    v4([169, 254, 0, 0], 16),   // link-local, and the metadata of nearly everyone
    v4([172, 16, 0, 0], 12),    // private
    v4([192, 0, 0, 0], 24),     // protocol assignments, and the metadata of Oracle
    v4([192, 0, 2, 0], 24),     // documentation
    v4([192, 88, 99, 0], 24),   // 6to4 relays
    v4([192, 168, 0, 0], 16),   // private
    v4([198, 18, 0, 0], 15),    // benchmarks
    v4([198, 51, 100, 0], 24),  // documentation
    v4([203, 0, 113, 0], 24),   // documentation
    v4([224, 0, 0, 0], 4),      // multicast
    v4([240, 0, 0, 0], 4),      // reserved, and broadcast
];

/// All that is global unicast. Outside lie `::`, loopback, NAT64 (`64:ff9b::/96`,
/// `64:ff9b:1::/48`), unique local, link-local, site-local and multicast addresses.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// IPv6 networks inside of it that are no public hosts.
const REFUSED_V6: &[Ipv6Net] = &[
    v6([0x2001, 0], 23),      // protocol assignments: Teredo, benchmarks, ORCHID
    v6([0x2001, 0x0db8], 32), // documentation
    v6([0x2002, 0], 16),      // 6to4
    v6([0x3fff, 0], 20),      // documentation
];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b]: [u16; 2], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits)
}

/// Whether `address` may be reached: it is a public host's, or inside `exceptions`. An IPv4
/// address that is mapped into IPv6 counts as itself.
pub fn is_allowed(address: IpAddr, exceptions: &[IpNet]) -> bool {
    let address = address.to_canonical();
    exceptions.iter().any(|network| network.contains(&address)) || is_public(address)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !REFUSED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address)
                && !REFUSED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], expect: bool) {
        for text in addresses {
            let address = text.parse().unwrap();
            assert_eq!(is_allowed(address, &[]), expect, "{text}");
        }
    }

    #[test]
    fn public_hosts_are_reached() {
        check(&["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0"], true);
        check(
            &["172.15.255.255", "172.32.0.0", "192.0.1.0", "198.20.0.0", "223.255.255.255"],
            true,
        );
        check(&["2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "2001:200::1"], true);
        check(&["::ffff:8.8.8.8", "3ffe::1"], true);
    }

    #[test]
    fn everything_else_is_not() {
        check(&["0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.255"], false);
        check(&["100.64.0.1", "100.127.255.255", "172.16.0.1", "172.31.255.255"], false);
        check(&["192.168.0.1", "192.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.9"], false);
        check(&["198.18.0.1", "198.19.255.255", "192.88.99.1", "224.0.0.1", "239.1.1.1"], false);
        check(&["240.0.0.1", "255.255.255.255", "169.254.1.1"], false);
        check(&["::", "::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1"], false);
        check(&["100::1", "2001:db8::1", "3fff::1", "4000::1", "5f00::1"], false);
    }

    #[test]
    fn what_machines_in_clouds_are_told_stays_there() {
        check(&["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192"], false);
        check(&["168.63.129.16", "fd00:ec2::254", "fe80::a9fe:a9fe"], false);
    }

    #[test]
    fn a_wrapped_address_is_no_way_in() {
        check(&["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"], false);
        check(&["::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1"], false);
        check(&["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"], false);
        check(&["2002:7f00:1::", "2002:808:808::1"], false);
        check(&["2001::1", "2001:0:53aa::1", "2001:1::1", "2001:2::1", "2001:10::1"], false);
    }

    #[test]
    fn an_exception_opens_exactly_what_it_says() {
        let exceptions = ["10.1.0.0/16", "::1/128", "192.168.7.7/32"].map(|n| n.parse().unwrap());
        let check = |address: &str, expect: bool| {
            assert_eq!(is_allowed(address.parse().unwrap(), &exceptions), expect, "{address}");
        };
        for inside in ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "::1", "192.168.7.7"] {
            check(inside, true);
        }
        for outside in ["10.0.255.255", "10.2.0.0", "127.0.0.1", "::2", "::", "192.168.7.8"] {
            check(outside, false);
        }
        check("64:ff9b::a01:203", false);
        check("8.8.8.8", true);
    }
}
