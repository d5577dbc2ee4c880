//! What happens when something behind the proxy fails: nothing is opened, and nothing is done twice.

use crate::behind_both;
use crate::passes::with;
use crate::stand::{Proxy, Stand, TRADER};

behind_both! {
    a_gate_that_is_gone_opens_nothing
    what_fails_in_the_application_is_not_tried_again
}

fn a_gate_that_is_gone_opens_nothing(proxy: Proxy) {
    let Some(mut stand) = Stand::of(proxy) else { return };
    let requests = ["/", "/prices", "/withdraw"].map(|target| stand.signed(TRADER, "GET", target, ""));
    stand.kill_gate();
    for request in requests {
        let answer = stand.send(&request);
        assert!((500..600).contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(stand.application.received().len(), 0);
}

fn what_fails_in_the_application_is_not_tried_again(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    for (method, fields) in [
        ("GET", ""),
        ("POST", ""),
        ("GET", "x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 3\r\nx-envoy-internal: true\r\n"),
        ("POST", "x-envoy-retry-on: 5xx,retriable-status-codes\r\nx-envoy-retriable-status-codes: 503\r\n"),
        ("GET", "x-envoy-hedge-on-per-try-timeout: true\r\nx-envoy-upstream-rq-per-try-timeout-ms: 1\r\n"),
    ] {
        let body = if method == "POST" { "{}" } else { "" };
        let before = stand.application.received().len();
        let answer = stand.send(&with(&stand.signed(TRADER, method, "/withdraw/fails", body), fields));
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(stand.application.received().len(), before + 1, "{method} {fields}");
    }
}
