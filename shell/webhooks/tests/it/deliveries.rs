//! What a courier does with answers, failures, crashes, full queues and a secret that changes.

use crate::listener::{Came, Listener};
use crate::{id, secret, secrets};
use std::sync::atomic::{AtomicUsize, Ordering};
use strongroom_webhook::{Failure, LEASE_SECONDS, Outcome, Receiver, Schedule};
use strongroom_webhooks::{
    Carrier, Courier, DEAD_MAX, HttpCarrier, MemoryOutbox, QUEUE_MAX, Reach, Round, Sending,
};

const NOW: i64 = 1_700_000_000;

fn here() -> Reach {
    Reach::allowing(vec!["127.0.0.0/8".parse().unwrap()])
}

fn courier() -> Courier<MemoryOutbox, HttpCarrier> {
    Courier::new(MemoryOutbox::default(), HttpCarrier::new(here()), here(), Schedule::default())
}

fn round(delivered: usize, retried: usize, dead: usize) -> Round {
    Round { delivered, retried, dead }
}

fn is_good(came: &Came, seed: u8, at: i64) -> bool {
    let receiver = Receiver::try_new([secret(seed).for_the_receiver().as_str()]).unwrap();
    receiver.verify(&came.headers, &came.content, at).is_ok()
}

#[test]
fn a_webhook_arrives_signed_once_for_each_endpoint() {
    let (first, second, courier) = (Listener::answering(&[]), Listener::answering(&[]), courier());
    courier.subscribe("first", &first.url(), secrets(2)).unwrap();
    courier.subscribe("second", &second.url(), secrets(3)).unwrap();
    let content = br#"{"type":"nav.published"}"#;
    assert_eq!(courier.publish(&id("m1"), content, NOW).unwrap().queued, 2);
    assert_eq!(courier.publish(&id("m1"), content, NOW).unwrap().queued, 0, "it was taken before");
    assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(2, 0, 0));
    assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(0, 0, 0));
    for (listener, seed) in [(first, 2), (second, 3)] {
        let came = listener.came();
        assert_eq!(came.len(), 1);
        assert_eq!(came[0].line, "POST /in?from=fund HTTP/1.1");
        assert_eq!(came[0].content, content);
        assert!(is_good(&came[0], seed, NOW) && !is_good(&came[0], seed + 2, NOW));
    }
}

#[test]
fn what_fails_is_tried_again_later_under_the_same_id_and_a_redirect_is_not_followed() {
    let elsewhere = Listener::answering(&[]);
    let redirect = format!("307 Elsewhere\r\nLocation: {}", elsewhere.url());
    let listener = Listener::answering(&["500 Failed", &redirect]);
    let courier = courier();
    courier.subscribe("e", &listener.url(), secrets(2)).unwrap();
    courier.publish(&id("m1"), b"{}", NOW).unwrap();
    assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(0, 1, 0));
    assert_eq!(courier.deliver(NOW + 4, &|| 0).unwrap(), round(0, 0, 0));
    assert_eq!(courier.deliver(NOW + 5, &|| 0).unwrap(), round(0, 1, 0));
    assert_eq!(courier.deliver(NOW + 305, &|| 0).unwrap(), round(1, 0, 0));
    let came = listener.came();
    let ids: Vec<_> = came.iter().map(|one| one.headers["webhook-id"].clone()).collect();
    assert_eq!(ids, ["m1", "m1", "m1"]);
    assert!(is_good(&came[2], 2, NOW + 305), "each attempt is signed for its own time");
    assert_eq!(elsewhere.came().len(), 0);
}

#[test]
fn what_is_given_up_is_kept_and_can_be_sent_again() {
    let listener = Listener::answering(&["410 Gone"]);
    let courier = courier();
    courier.subscribe("e", &listener.url(), secrets(2)).unwrap();
    courier.publish(&id("m1"), b"{}", NOW).unwrap();
    courier.publish(&id("m2"), b"{}", NOW + 1).unwrap();
    assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(0, 0, 1));
    assert_eq!(courier.dead("e").unwrap().len(), 1);
    assert_eq!(courier.deliver(NOW + 1, &|| 0).unwrap(), round(0, 0, 0), "it wants nothing any more");
    let refused = courier.publish(&id("m3"), b"{}", NOW).unwrap();
    assert_eq!(refused.refused[0].1.code(), "webhook.endpoint_must_be_enabled");
    assert!(courier.redeliver("e", &id("m1"), NOW).is_err());
    courier.enable("e").unwrap();
    courier.redeliver("e", &id("m1"), NOW + 9).unwrap();
    assert_eq!(courier.deliver(NOW + 9, &|| 0).unwrap(), round(2, 0, 0));
    assert!(courier.redeliver("e", &id("m1"), NOW).is_err(), "it was delivered");
}

#[test]
fn a_secret_is_rotated_while_webhooks_are_on_their_way() {
    let (listener, courier) = (Listener::answering(&[]), courier());
    courier.subscribe("e", &listener.url(), secrets(2)).unwrap();
    let times = [NOW - 1, NOW, NOW + 59, NOW + 60];
    for (count, at) in times.into_iter().enumerate() {
        if at == NOW {
            courier.rotate("e", secret(3), NOW, 60).unwrap();
            courier.subscribe("e", &listener.url(), secrets(8)).unwrap();
        }
        courier.publish(&id(&format!("m{count}")), b"{}", at).unwrap();
        assert_eq!(courier.deliver(at, &|| 0).unwrap(), round(1, 0, 0));
    }
    let came = listener.came();
    let taken =
        |seed: u8| -> Vec<bool> { came.iter().zip(times).map(|(one, at)| is_good(one, seed, at)).collect() };
    assert_eq!(taken(2), [true, true, true, false]);
    assert_eq!(taken(3), [false, true, true, true]);
}

/// Takes everything, and counts how often each webhook came.
struct Counting {
    sent: AtomicUsize,
    status: u16,
}

impl Carrier for Counting {
    fn carry(&self, _: &Sending) -> Outcome {
        self.sent.fetch_add(1, Ordering::Relaxed);
        Outcome::Answered { status: self.status, retry_after: None }
    }
}

fn counting(status: u16, schedule: Schedule) -> Courier<MemoryOutbox, Counting> {
    let carrier = Counting { sent: AtomicUsize::new(0), status };
    let courier = Courier::new(MemoryOutbox::default(), carrier, here(), schedule);
    courier.subscribe("e", "https://hooks.example", secrets(2)).unwrap();
    courier
}

#[test]
fn couriers_that_work_at_once_send_each_webhook_once() {
    let courier = counting(200, Schedule::default());
    for count in 0..200 {
        courier.publish(&id(&format!("m{count}")), b"{}", NOW).unwrap();
    }
    let delivered: usize = std::thread::scope(|scope| {
        let rounds = || (0..10).map(|_| courier.deliver(NOW, &|| 0).unwrap().delivered).sum::<usize>();
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(rounds)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(delivered, 200);
}

/// Gets no answer.
struct Silent(AtomicUsize);

impl Carrier for Silent {
    fn carry(&self, _: &Sending) -> Outcome {
        self.0.fetch_add(1, Ordering::Relaxed);
        Outcome::Failed(Failure::Transport("no answer".to_owned()))
    }
}

#[test]
fn an_endpoint_that_does_not_answer_is_asked_once_in_a_round_and_what_waits_behind_is_given_back() {
    let sent = AtomicUsize::new(0);
    let courier = Courier::new(MemoryOutbox::default(), Silent(sent), here(), Schedule::default());
    courier.subscribe("e", "https://hooks.example", secrets(2)).unwrap();
    for count in 0..5 {
        courier.publish(&id(&format!("m{count}")), b"{}", NOW).unwrap();
    }
    for _ in 0..5 {
        assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(0, 1, 0));
    }
    assert_eq!(courier.deliver(NOW, &|| 0).unwrap(), round(0, 0, 0), "each has had its attempt");
}

/// Crashes while it sends.
struct Crashing(AtomicUsize);

impl Carrier for Crashing {
    fn carry(&self, _: &Sending) -> Outcome {
        assert!(self.0.fetch_add(1, Ordering::Relaxed) > 0, "a crash of the test's making");
        Outcome::Answered { status: 200, retry_after: None }
    }
}

#[test]
fn what_was_being_sent_in_a_crash_is_sent_again_when_its_lease_is_over() {
    let carrier = Crashing(AtomicUsize::new(0));
    let courier = Courier::new(MemoryOutbox::default(), carrier, here(), Schedule::default());
    courier.subscribe("e", "https://hooks.example", secrets(2)).unwrap();
    courier.publish(&id("m1"), b"{}", NOW).unwrap();
    let crashed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| courier.deliver(NOW, &|| 0)));
    assert!(crashed.is_err());
    assert_eq!(courier.deliver(NOW + LEASE_SECONDS - 1, &|| 0).unwrap(), round(0, 0, 0));
    assert_eq!(courier.deliver(NOW + LEASE_SECONDS, &|| 0).unwrap(), round(1, 0, 0));
}

#[test]
fn queues_and_dead_letters_are_bounded() {
    let courier = counting(500, Schedule::of_seconds(Vec::new()));
    for count in 0..QUEUE_MAX {
        assert_eq!(courier.publish(&id(&format!("m{count}")), b"{}", NOW).unwrap().queued, 1);
    }
    let refused = courier.publish(&id("late"), b"{}", NOW).unwrap();
    assert_eq!(refused.refused[0].1.code(), "webhook.queue_must_have_room");
    let mut dead = 0;
    while dead <= DEAD_MAX {
        dead += courier.deliver(NOW, &|| 0).unwrap().dead;
    }
    assert_eq!(courier.dead("e").unwrap().len(), DEAD_MAX);
}

#[test]
fn a_name_that_stands_for_this_machine_is_not_delivered_to() {
    let listener = Listener::answering(&[]);
    let public = Courier::new(
        MemoryOutbox::default(),
        HttpCarrier::new(Reach::public()),
        Reach::public(),
        Schedule::of_seconds(Vec::new()),
    );
    // The name passes, for nobody knows yet what it stands for.
    public.subscribe("e", &format!("https://localhost:{}/in", listener.port), secrets(2)).unwrap();
    public.publish(&id("m1"), b"{}", NOW).unwrap();
    assert_eq!(public.deliver(NOW, &|| 0).unwrap(), round(0, 0, 1));
    let dead = public.dead("e").unwrap();
    let strongroom_webhook::DeliveryState::Dead { failure: Failure::Address(why), .. } = &dead[0].state
    else {
        unreachable!("{dead:?}")
    };
    assert!(why.contains("127.0.0.1") || why.contains("::1"), "{why}");
    assert_eq!(listener.came().len(), 0);
}
