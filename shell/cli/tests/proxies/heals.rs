//! The client behind a proxy: it heals by the gate's signed refusals, takes the application's unsigned answers when told
//! to, and heals by none of those.

use crate::behind_both;
use crate::stand::{Proxy, Stand, TRADER};

behind_both! {
    a_client_answers_the_challenge_of_a_gate_that_has_just_begun
    a_refusal_that_nobody_signed_is_no_reason_to_send_again
    an_answer_that_nobody_signed_is_taken_only_when_asked_for
}

fn a_client_answers_the_challenge_of_a_gate_that_has_just_begun(proxy: Proxy) {
    let Some(mut stand) = Stand::of(proxy) else { return };
    for (place, (method, target, body)) in
        [("GET", "/prices", ""), ("POST", "/withdraw", "--body {\"to\":\"alice\"}")].into_iter().enumerate()
    {
        stand.kill_gate();
        stand.start_gate();
        let server = format!("--server http://{}", stand.host());
        let (exit, out, err) =
            stand.run(&format!("http {method} {target} {body} --foreign --key {TRADER} {server}"));
        assert_eq!((exit, out.trim(), err.as_str()), (0, "done", ""));
        let received = stand.application.received();
        assert_eq!(received.len(), place + 1);
        // The challenge was its nonce: it was refused once.
        let nonce = received[place].field("signature-input")[0].split("nonce=\"").nth(1).unwrap();
        assert!(nonce.split('"').next().unwrap().len() > 32, "{nonce}");
    }
}

fn an_answer_that_nobody_signed_is_taken_only_when_asked_for(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let line = format!("http GET /prices --key {TRADER} --server http://{} --json", stand.host());
    let (exit, _, err) = stand.run(&line);
    assert_ne!(exit, 0);
    assert!(err.contains("client.answer_must_be_signed"), "{err}");
    let (exit, _, err) = stand.run(&format!("{line} --foreign --header cookie:a=1"));
    assert_eq!((exit, err.as_str()), (0, ""));
    let (exit, _, err) = stand.run(&line.replace("/prices", "/fails --foreign"));
    assert_ne!(exit, 0);
    assert!(err.contains("HTTP 503 done") && err.contains("client.answer_must_be_a_success"), "{err}");
    // The gate's own refusal is told by its code.
    let (exit, _, err) = stand.run(&line.replace("/prices", "/prices//x --foreign"));
    assert_ne!(exit, 0);
    assert!(err.contains("request.") && !err.contains("HTTP"), "{err}");
}

fn a_refusal_that_nobody_signed_is_no_reason_to_send_again(proxy: Proxy) {
    let Some(stand) = Stand::of(proxy) else { return };
    let server = format!("--server http://{}", stand.host());
    let (exit, _, err) =
        stand.run(&format!("http GET /prices/pretends --foreign --json --key {TRADER} {server}"));
    assert_ne!(exit, 0);
    assert!(err.contains("request.must_be_fresh"), "{err}");
    assert_eq!(stand.application.received().len(), 1);
}
