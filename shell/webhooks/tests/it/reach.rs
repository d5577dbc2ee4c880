//! Which addresses are delivered to.

use strongroom_webhooks::Reach;

#[test]
fn no_address_of_a_network_of_ones_own_is_public() {
    let inside = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for address in inside {
        assert!(!Reach::public().permits(address.parse().unwrap()), "{address}");
    }
    let outside = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "168.63.129.17",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:1.1.1.1",
    ];
    for address in outside {
        assert!(Reach::public().permits(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_network_that_is_allowed_is_delivered_to_and_no_other() {
    let reach = Reach::allowing(vec!["10.8.0.0/16".parse().unwrap()]);
    assert!(reach.permits("10.8.3.4".parse().unwrap()) && reach.permits("::ffff:10.8.3.4".parse().unwrap()));
    assert!(!reach.permits("10.9.0.1".parse().unwrap()) && !reach.permits("127.0.0.1".parse().unwrap()));
    assert!(reach.check("http://10.8.3.4:8080/in").is_ok());
}

#[test]
fn a_url_is_https_to_somewhere_public() {
    for url in [
        "https://hooks.example/in?a=b",
        "https://hooks.example:8443",
        "https://1.1.1.1/",
        "https://[2606:4700::1]/",
    ] {
        assert!(Reach::public().check(url).is_ok(), "{url}");
    }
    for url in [
        "http://hooks.example/in",
        "http://1.1.1.1/",
        "ftp://hooks.example",
        "/in",
        "",
        "https://",
        "https://user@hooks.example",
        "https://user:pass@hooks.example",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest",
        "https://hooks.example/#part",
    ] {
        let refused = Reach::public().check(url).unwrap_err();
        assert_eq!(refused.code(), "webhook.url_must_be_public", "{url}");
    }
}
