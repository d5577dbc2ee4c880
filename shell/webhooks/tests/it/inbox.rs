//! Webhooks in.

use crate::{id, secret, secrets};
use http::HeaderMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use strongroom_webhook::{Receiver, SeenIds, WebhookRefusal};
use strongroom_webhooks::{Inbox, InboxError};

const NOW: i64 = 1_700_000_000;

fn inbox() -> Inbox {
    let receiver = Receiver::try_new([secret(3).for_the_receiver().as_str()]).unwrap();
    Inbox::new(receiver, SeenIds::default())
}

fn headers(name: &str) -> HeaderMap {
    let signature = secrets(3).signatures(&id(name), NOW, b"{}").unwrap();
    let fields = [
        ("webhook-id", name.to_owned()),
        ("webhook-timestamp", NOW.to_string()),
        ("webhook-signature", signature),
    ];
    fields.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn code(result: Result<(), InboxError<&str>>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(InboxError::Refused(refusal)) => refusal.code(),
        Err(InboxError::Failed(_)) => "failed",
    }
}

#[test]
fn of_many_at_once_one_acts() {
    let (inbox, acted) = (inbox(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let act = |_: &_| {
                        acted.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    };
                    let told = code(inbox.receive(&headers("m"), b"{}", NOW, act));
                    assert!(
                        ["ok", "webhook.id_must_be_new", "webhook.id_must_not_be_in_use"].contains(&told)
                    );
                }
            });
        }
    });
    assert_eq!(acted.into_inner(), 1);
}

#[test]
fn after_a_failure_or_a_panic_the_next_attempt_is_taken() {
    let inbox = inbox();
    let receive = |act: &dyn Fn() -> Result<(), &'static str>| {
        code(inbox.receive(&headers("m"), b"{}", NOW, |_| act()))
    };
    assert_eq!(receive(&|| Err("no disk")), "failed");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        inbox.receive(&headers("m"), b"{}", NOW, |_| -> Result<(), &str> { panic!("a test's") })
    }));
    assert!(panicked.is_err());
    let nested = || {
        let second = inbox.receive(&headers("m"), b"{}", NOW, |_| Ok::<(), &str>(()));
        assert!(matches!(second, Err(InboxError::Refused(WebhookRefusal::IdMustNotBeInUse(_)))));
        Ok(())
    };
    assert_eq!(receive(&nested), "ok");
    assert_eq!(receive(&|| Ok(())), "webhook.id_must_be_new");
}
