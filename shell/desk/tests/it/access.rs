//! The stream `access`, and nonces that are used up with the effect of their request.

use strongroom_access::{
    AccessCommand, AccessRefusal, Algorithm, EnrolmentId, Environment, KeyId, KeyState, LineageId, Material,
    PrincipalId, Role,
};
use strongroom_desk::{
    Cause, Claim, Desk, DeskError, DeskService, Evidence, Request, RequestRecord, SpentNonce, commitment_to,
    stream_of,
};
use strongroom_engine::Outcome;
use strongroom_store::LogFault;
use strongroom_units::time::Timestamp;

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(
    access_is_what_its_log_says,
    a_refused_change_of_access_writes_nothing,
    two_desks_change_access_without_losing_anything,
    a_nonce_commits_once_with_its_effect,
    a_repeat_is_refused_alone_in_its_group,
    what_a_key_asked_for_is_kept_with_what_came_of_it,
    a_row_of_a_key_that_was_edited_is_named,
    a_key_that_was_edited_in_the_log_is_refused_at_load,
    every_event_names_who_caused_it,
    nonces_are_forgotten_only_after_their_time,
    a_key_that_is_revoked_while_its_command_waits_has_no_effect,
    an_order_is_cancelled_by_its_dealer_only_whenever_it_came_in,
);

fn principal() -> PrincipalId {
    "ana".parse().unwrap()
}

fn later(hours: i64) -> Timestamp {
    Timestamp::from_second(opening().as_second() + hours * 3_600).unwrap()
}

/// An invitation that is good now, by the clock of this machine.
fn first_enrolment_at(byte: u8, now: Timestamp) -> AccessCommand {
    let after = |seconds| Timestamp::from_second(now.as_second() + seconds).unwrap();
    AccessCommand::OpenFirstEnrolment {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: "c0de".to_owned(),
        principal: principal(),
        environment: Environment::Test,
        code_expires: after(3_600),
        key_expires: after(90 * 86_400),
    }
}

fn first_enrolment(byte: u8) -> AccessCommand {
    AccessCommand::OpenFirstEnrolment {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: "c0de".to_owned(),
        principal: principal(),
        environment: Environment::Test,
        code_expires: later(1),
        key_expires: later(24 * 90),
    }
}

fn enrol(byte: u8) -> AccessCommand {
    AccessCommand::Enrol {
        id: EnrolmentId::from_random([byte; 8]),
        code_hash: "c0de".to_owned(),
        algorithm: Algorithm::Ed25519,
        material: Material::Public { key: "cHVibGlj".to_owned() },
        lineage: LineageId::from_random([byte; 8]),
    }
}

fn by_ana() -> Cause {
    Cause::actor("os:ana")
}

fn access_is_what_its_log_says(home: &Home) {
    let mut desk = home.open();
    desk.change_access(&first_enrolment(1), opening(), &by_ana()).unwrap();
    desk.change_access(&enrol(1), opening(), &by_ana()).unwrap();
    let (before, records) = (desk.access().unwrap().clone(), desk.access_records());
    assert!(before.has_operator(opening()));
    // A principal and an invitation, then a key, and the root over all of them behind each.
    assert_eq!(records, 5);
    drop(desk);
    let mut desk = home.open();
    assert_eq!(desk.access().unwrap(), &before);
    assert_eq!(
        home.number("SELECT count(*) FROM credentials WHERE state = 'active' AND principal = 'ana'"),
        1
    );
    assert_eq!(home.number("SELECT count(*) FROM principals WHERE role = 'operator' AND enabled = 'yes'"), 1);
    let lineage = LineageId::from_random([1; 8]);
    let revoke = |even_the_last| AccessCommand::Revoke {
        lineage: lineage.clone(),
        version: None,
        even_the_last,
        reason: "left".to_owned(),
    };
    let refused = desk.change_access(&revoke(false), opening(), &by_ana()).unwrap_err();
    assert_eq!(refused.code(), "principal.last_operator_must_remain");
    desk.change_access(&revoke(true), opening(), &by_ana()).unwrap();
    assert_eq!(desk.access().unwrap().lineage(&lineage).unwrap().versions[&1].state, KeyState::Revoked);
    assert_eq!(home.number("SELECT count(*) FROM credentials WHERE state = 'revoked'"), 1);
}

fn a_refused_change_of_access_writes_nothing(home: &Home) {
    let mut desk = home.open();
    let refused = desk.change_access(&enrol(1), opening(), &by_ana()).unwrap_err();
    assert!(matches!(refused, DeskError::AccessRefused(AccessRefusal::EnrolmentMustBeOpen(_))));
    let repeat = AccessCommand::RegisterPrincipal { id: principal(), role: Role::Auditor, participant: None };
    assert_eq!(desk.change_access(&repeat, opening(), &by_ana()).unwrap().events.len(), 1);
    assert_eq!(desk.change_access(&repeat, opening(), &by_ana()).unwrap().events.len(), 0);
    assert_eq!(home.number("SELECT count(*) FROM events"), 2, "the principal and the root");
}

/// SQLite has one writer; there the desks take turns.
fn two_desks_change_access_without_losing_anything(home: &Home) {
    let register = |name: String| AccessCommand::RegisterPrincipal {
        id: name.parse().unwrap(),
        role: Role::ReadOnly,
        participant: None,
    };
    for turn in 0..10 {
        let mut desk = home.open();
        desk.change_access(&register(format!("a{turn}")), opening(), &by_ana()).unwrap();
    }
    if home.location().to_string().starts_with("postgres") {
        let (mut first, mut second) = (home.open(), home.open());
        for turn in 0..10 {
            first.change_access(&register(format!("b{turn}")), opening(), &by_ana()).unwrap();
            second.change_access(&register(format!("c{turn}")), opening(), &by_ana()).unwrap();
        }
        assert_eq!(first.access().unwrap(), second.access().unwrap());
        assert_eq!(second.access().unwrap().principals().count(), 30);
    }
    let mut desk = home.open();
    let known = desk.access().unwrap().principals().count() as i64;
    assert_eq!(home.number("SELECT count(*) FROM events"), 2 * known, "each with its root");
}

/// An order signed with this nonce.
fn signed(name: &str, nonce: &str) -> Request {
    let nonce = SpentNonce {
        lineage: "k0123456789ab".to_owned(),
        version: 1,
        nonce: nonce.to_owned(),
        signed_at: opening(),
        kept_until: later(1),
    };
    let cause = Cause { nonce: Some(nonce), ..Cause::actor("key:k0123456789ab.1") };
    Request { cause, ..submit(name) }
}

fn a_nonce_commits_once_with_its_effect(home: &Home) {
    let mut desk = with_fund(home.open());
    assert_eq!(desk.command(signed("a", "n1")).unwrap().outcome, Outcome::Done);
    // Another order under the same nonce: the effect of the repeat must not commit, whoever lets it through.
    assert_eq!(desk.command(signed("b", "n1")).unwrap_err().code(), "request.nonce_was_used");
    assert_eq!(desk.command(signed("b", "n2")).unwrap().outcome, Outcome::Done);
    drop(desk);
    let mut desk = home.open();
    assert_eq!(desk.command(signed("c", "n2")).unwrap_err().code(), "request.nonce_was_used");
    assert_eq!(home.number("SELECT count(*) FROM orders"), 2);
    assert_eq!(judge::check(home).len(), 3);
}

fn a_repeat_is_refused_alone_in_its_group(home: &Home) {
    let mut desk = with_fund(home.open());
    desk.command(signed("a", "n1")).unwrap();
    let service = DeskService::start(desk);
    let orders = ["n2", "n1", "n3", "n3", "n4"].into_iter().enumerate();
    let sent: Vec<_> = orders
        .map(|(index, nonce)| service.handle().send(signed(&format!("g{index}"), nonce)).unwrap())
        .collect();
    let told: Vec<_> = sent
        .into_iter()
        .map(|answer| answer.recv().unwrap().map_or_else(|error| error.code(), |_| "done"))
        .collect();
    let used = "request.nonce_was_used";
    assert_eq!(told, ["done", used, "done", used, "done"]);
    assert_eq!(judge::check(home).len(), 5);
}

fn every_event_names_who_caused_it(home: &Home) {
    let mut desk = with_fund(home.open());
    desk.command(signed("a", "n1")).unwrap();
    desk.change_access(&first_enrolment(1), opening(), &Cause::actor("server")).unwrap();
    let by = |actor: &str| home.number(&format!("SELECT count(*) FROM events WHERE actor = '{actor}'"));
    assert_eq!((by("os:ana"), by("key:k0123456789ab.1"), by("server")), (1, 1, 3));
}

fn evidence(salt: u8) -> Box<Evidence> {
    Box::new(Evidence {
        signature_base: "\"@method\": POST".to_owned(),
        signature: "c2ln".to_owned(),
        algorithm: "ed25519".to_owned(),
        content: Some("{\"id\":\"a\"}".to_owned()),
        peer: [192, 0, 2, 7].into(),
        user_agent: Some("desk/1".to_owned()),
        salt: [salt; 16],
    })
}

/// What key 1 signed, as the gate would let it in.
fn by_key(name: &str, salt: u8) -> Request {
    let key = KeyId { lineage: LineageId::from_random([1; 8]), version: 1 };
    let claim =
        Claim { key: key.clone(), scope: None, environment: Environment::Test, peer: [192, 0, 2, 7].into() };
    let cause =
        Cause { claim: Some(claim), evidence: Some(evidence(salt)), ..Cause::actor(format!("key:{key}")) };
    Request { cause, ..submit(name) }
}

/// A desk whose key 1 works now, by the clock of this machine.
fn with_key(home: &Home) -> Desk {
    let mut desk = with_fund(home.open());
    let now = Timestamp::now();
    desk.change_access(&first_enrolment_at(1, now), now, &by_ana()).unwrap();
    desk.change_access(&enrol(1), Timestamp::now(), &by_ana()).unwrap();
    desk
}

/// Done, done before and refused: each is kept with what it caused, and is a leaf that can be proved.
fn what_a_key_asked_for_is_kept_with_what_came_of_it(home: &Home) {
    let mut desk = with_key(home);
    let done = desk.command(by_key("a", 1)).unwrap();
    let again = desk.command(by_key("a", 2)).unwrap();
    let id = strongroom_engine::OrderId::try_new("none").unwrap();
    let bad = Request { command: strongroom_engine::Command::CancelOrder { id }, ..by_key("a", 3) };
    let refused = desk.command(bad).unwrap_err();
    let lineage = LineageId::from_random([1; 8]);
    let kept: Vec<RequestRecord> = desk.deeds(&lineage, 1, 10).unwrap();
    let told: Vec<&str> = kept.iter().map(|record| record.outcome.as_str()).collect();
    assert_eq!(told, ["done", "already done", refused.code()]);
    assert_eq!(kept[0].caused.as_ref().map(|caused| (caused.first, caused.last)), Some((done.seq, done.seq)));
    assert_eq!(kept[1].caused, None);
    assert_eq!(again.place, None);
    assert_eq!(done.request.unwrap().name(), (stream_of(lineage.as_str()).as_str(), 1));
    assert_eq!(kept[0].source, commitment_to(&[1; 16], "192.0.2.7", "desk/1").to_string());
    // Erasing where it came from changes neither the record nor the log, which says that it was done.
    assert_eq!(home.number("SELECT count(*) FROM request_sources"), 3);
    let before = desk.log_head().unwrap().size();
    assert_eq!(desk.erase_sources(&lineage, "asked for", &by_ana()).unwrap(), 3);
    assert_eq!(desk.erase_sources(&lineage, "asked for", &by_ana()).unwrap(), 0);
    assert_eq!(home.number("SELECT count(*) FROM request_sources"), 0);
    assert_eq!(home.number("SELECT count(*) FROM events WHERE kind = 'sources-erased'"), 1);
    assert_eq!(desk.log_head().unwrap().size(), before + 1);
    assert_eq!(desk.verify_log(&|_| ()).unwrap().faults, []);
    assert!(desk.deeds_with_sources(&lineage, 1, 10).unwrap().iter().all(|deed| deed.peer.is_none()));
    assert_eq!(desk.deeds(&lineage, 1, 10).unwrap(), kept);
}

fn a_row_of_a_key_that_was_edited_is_named(home: &Home) {
    let mut desk = with_key(home);
    assert_eq!(desk.check_keys().unwrap(), []);
    let key = format!("{}.1", LineageId::from_random([1; 8]));
    for (sql, table, row) in [
        ("UPDATE credentials SET scopes = 'read'", "credentials", key.as_str()),
        ("UPDATE credentials SET expires_at = '2099-01-01T00:00:00Z'", "credentials", &key),
        ("DELETE FROM credentials", "credentials", &key),
        ("UPDATE principals SET role = 'operator', enabled = 'no'", "principals", "ana"),
    ] {
        home.by_hand(&format!("CREATE TABLE kept AS SELECT * FROM {table}"));
        home.by_hand(sql);
        let found = desk.check_keys().unwrap();
        assert_eq!(found, [LogFault::RowChanged { table, row: row.to_owned() }], "{sql}");
        home.by_hand(&format!("DELETE FROM {table}"));
        home.by_hand(&format!("INSERT INTO {table} SELECT * FROM kept"));
        home.by_hand("DROP TABLE kept");
        assert_eq!(desk.check_keys().unwrap(), []);
    }
}

/// An event of a key that was edited leads to another root than the one that the log has.
fn a_key_that_was_edited_in_the_log_is_refused_at_load(home: &Home) {
    drop(with_key(home));
    home.unlock_history();
    home.by_hand(
        "UPDATE events SET body = replace(body, '\"read\"', '\"audit:read\"') WHERE kind = 'key-issued'",
    );
    let mut desk = home.open();
    assert_eq!(desk.access().unwrap_err().code(), "log.keys_must_lead_to_their_root");
}

fn nonces_are_forgotten_only_after_their_time(home: &Home) {
    let mut desk = with_fund(home.open());
    desk.command(signed("a", "n1")).unwrap();
    assert_eq!(desk.prune_nonces(later(1)).unwrap(), 0);
    assert_eq!(desk.command(signed("b", "n1")).unwrap_err().code(), "request.nonce_was_used");
    assert_eq!(desk.prune_nonces(later(2)).unwrap(), 1);
    assert_eq!(home.number("SELECT count(*) FROM request_nonces"), 0);
}

/// The request was let in, and a revoke comes before it in the queue: it must find a key that has ended.
fn a_key_that_is_revoked_while_its_command_waits_has_no_effect(home: &Home) {
    let mut desk = with_fund(home.open());
    let now = Timestamp::now();
    let soon = |seconds: i64| Timestamp::from_second(now.as_second() + seconds).unwrap();
    let first = AccessCommand::OpenFirstEnrolment {
        id: EnrolmentId::from_random([1; 8]),
        code_hash: "c0de".to_owned(),
        principal: principal(),
        environment: Environment::Test,
        code_expires: soon(60),
        key_expires: soon(86_400),
    };
    desk.change_access(&first, now, &by_ana()).unwrap();
    desk.change_access(&enrol(1), now, &by_ana()).unwrap();
    let lineage = LineageId::from_random([1; 8]);
    let claimed = |environment| Cause {
        claim: Some(Claim {
            key: format!("{lineage}.1").parse().unwrap(),
            scope: Some("orders:write".parse().unwrap()),
            environment,
            peer: "127.0.0.1".parse().unwrap(),
        }),
        ..by_ana()
    };
    let order = |name: &str, environment| Request { cause: claimed(environment), ..submit(name) };
    let service = DeskService::start(desk);
    let handle = service.handle();
    assert!(handle.command(order("a", Environment::Test)).is_ok());
    let elsewhere = handle.command(order("b", Environment::Live)).unwrap_err();
    assert_eq!(elsewhere.code(), "key.environment_must_match");
    // The desk is held up until all three are in its queue.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    handle.try_run(move |_| wait.recv().unwrap()).unwrap();
    let revoke = AccessCommand::Revoke {
        lineage: lineage.clone(),
        version: None,
        even_the_last: true,
        reason: "stolen".to_owned(),
    };
    handle
        .try_run(move |desk| drop(desk.change_access(&revoke, Timestamp::now(), &by_ana()).unwrap()))
        .unwrap();
    let waiting = handle.send(order("c", Environment::Test)).unwrap();
    let cause = claimed(Environment::Test);
    let (told, hear) = std::sync::mpsc::channel();
    handle
        .try_run(move |desk| {
            told.send(desk.change_access(&first_enrolment(2), Timestamp::now(), &cause)).unwrap()
        })
        .unwrap();
    go.send(()).unwrap();
    assert_eq!(waiting.recv().unwrap().unwrap_err().code(), "key.must_not_be_revoked");
    assert_eq!(hear.recv().unwrap().unwrap_err().code(), "key.must_not_be_revoked");
    drop(service);
    assert_eq!(home.number("SELECT count(*) FROM orders"), 1);
}

/// A name that was free when the request was let in may be somebody's order when it is decided.
fn an_order_is_cancelled_by_its_dealer_only_whenever_it_came_in(home: &Home) {
    let mut desk = with_fund(home.open());
    let of = |dealer: &str, name: &str| {
        let cause = Cause { orders_of: Some(dealer.to_owned()), ..by_ana() };
        Request { cause, ..cancel(name) }
    };
    let dealer = match submit("a").command {
        strongroom_engine::Command::SubmitOrder(order) => order.participant,
        _ => String::new(),
    };
    let answers = desk.submit(&[submit("a"), of("AP-OTHER", "a"), of("AP-OTHER", "nowhere")]).unwrap();
    let codes: Vec<_> =
        answers.iter().map(|told| told.as_ref().map_or_else(|r| r.code(), |_| "done")).collect();
    assert_eq!(codes, ["done", "order.must_be_open", "order.must_be_open"]);
    assert_eq!(desk.command(of(&dealer, "a")).unwrap().outcome, Outcome::Done);
    // What is over is not to be told apart from what never was, either.
    assert_eq!(desk.command(of("AP-OTHER", "a")).unwrap_err().code(), "order.must_be_open");
    assert_eq!(desk.command(of(&dealer, "a")).unwrap().outcome, Outcome::AlreadyDone);
}
