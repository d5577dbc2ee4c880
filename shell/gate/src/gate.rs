//! The gate itself. It fails closed: a lock that is poisoned, a clock that is wrong, a rule that errs refuse.

use crate::keys::{Check, KeyTable, SecretError, Verifier};
use crate::lease::Lease;
use crate::memory::{Memory, NonceStore, Nonces, memory_of};
use crate::refusal::GateRefusal;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use strongroom_access::bearer::{BearerKey, Pepper};
use strongroom_access::rate_limit::RateLimiter;
use strongroom_access::replay::{Challenges, ReplayRefusal, Sequence, Window, is_challenge};
use strongroom_access::session_token::{SessionToken, SessionTokens, TokenUse};
use strongroom_access::{
    AccessEvent, AccessRefusal, AccessState, Demand, Environment, KeyId, KeyState, Lineage, LineageId,
    Principal, ReplayMode, Restriction, Role, Scope,
};
use strongroom_signature::{
    ACCEPT_SIGNATURE, AcceptSignature, Content, ContentElsewhere, Nonce, Profile, Request, SignedRequest,
    VerifiedRequest,
};
use strongroom_units::time::Timestamp;

/// What a gate is set up with.
pub struct GateOptions {
    /// Which installation this is.
    pub environment: Environment,
    /// What a signature must be like.
    pub profile: Profile,
    /// The replay window.
    pub window: Window,
    /// Makes and checks challenges.
    pub challenges: Challenges,
    /// The secret with which bearer secrets are hashed.
    pub pepper: Pepper,
    /// Where nonces are kept beside the window.
    pub nonces: NonceStore,
    /// Issues and redeems session tokens.
    pub tokens: SessionTokens,
    /// How many requests a key may make.
    pub rates: RateLimiter,
    /// For how long it may go by the keys it has.
    pub lease: Lease,
}

/// What a request needs to pass.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The scope; none when every working key will do.
    pub scope: Option<&'a Scope>,
    /// From where the request came.
    pub peer: IpAddr,
    /// When.
    pub now: Timestamp,
}

/// A request whose claims hold together and whose key is known; its content may now be read.
pub struct Candidate<'m> {
    claim: Claim<'m>,
    key: KeyId,
    verifier: Arc<Verifier>,
}

// Almost every claim is a signed one: a box for each would cost more than the room it saves.
#[allow(clippy::large_enum_variant, reason = "the large variant is the common one")]
enum Claim<'m> {
    Signed(SignedRequest<'m>),
    Bearer(BearerKey),
}

/// Leave to execute one request once: it was signed, fresh, unique and authorised. Only the gate gives it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Permit {
    /// The key.
    pub key: KeyId,
    /// Whose it is.
    pub principal: Principal,
    /// What the key may be used for.
    pub scopes: BTreeSet<Scope>,
    /// What the key is held to for a time.
    pub restriction: Option<Restriction>,
    /// Until when it is good.
    pub expires: Timestamp,
    /// What was verified; none for a bearer key, which only reads.
    pub verified: Option<VerifiedRequest>,
    /// Until when a repeat could be fresh.
    pub kept_until: Timestamp,
    /// The key was pending: its first use is to be recorded.
    pub is_first_use: bool,
    /// Where the key stands with its rate: fields for the answer.
    pub rate: RateFields,
    /// What the gate knew of access when it let the request in.
    epoch: u64,
}

/// The fields of draft-ietf-httpapi-ratelimit-headers.
#[derive(Debug, Clone)]
pub struct RateFields {
    /// The value of `RateLimit-Policy`.
    pub policy: String,
    /// The value of `RateLimit`.
    pub limit: String,
}

impl Candidate<'_> {
    /// The key that the request claims; until it is judged, nothing vouches for that.
    pub fn key(&self) -> &KeyId {
        &self.key
    }
}

impl Permit {
    /// Whether role, key, denials and restriction together allow a scope.
    pub fn may(&self, scope: &Scope) -> bool {
        let restricted = self.restriction.is_some_and(|held| held.allows(Some(scope)).is_err());
        !restricted
            && !self.principal.denied.contains(scope)
            && self.principal.role.may_hold(scope)
            && self.scopes.contains(scope)
    }

    /// What the principal is.
    pub fn role(&self) -> Role {
        self.principal.role
    }

    /// The nonce in its one text form.
    pub fn nonce(&self) -> Option<String> {
        let verified = self.verified.as_ref()?;
        Nonce::try_new(verified.nonce()).ok().map(|nonce| nonce.encode())
    }
}

/// Keys, replay window and challenges of one installation. Share it behind an `Arc`.
pub struct Gate {
    environment: Environment,
    profile: Profile,
    foreign: Profile,
    keys: RwLock<KeyTable>,
    pub(crate) memory: Mutex<Memory>,
    pepper: Pepper,
    pub(crate) nonces: RwLock<Nonces>,
    rates: Mutex<RateLimiter>,
    lease: Lease,
    /// Events of access that were followed; it only grows.
    epoch: AtomicU64,
    /// Of lineages that count; as many as there are such lineages. After a start they begin anew: what was signed before
    /// it is refused by the window.
    sequences: Mutex<HashMap<LineageId, Sequence>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl Gate {
    /// A closed gate with these keys.
    pub fn new(options: GateOptions, keys: KeyTable) -> Self {
        let (nonces, memory) = memory_of(options.nonces, options.window, options.challenges, options.tokens);
        Self {
            environment: options.environment,
            foreign: options.profile.clone().for_any_application(),
            profile: options.profile,
            keys: RwLock::new(keys),
            memory: Mutex::new(memory),
            pepper: options.pepper,
            nonces: RwLock::new(nonces),
            rates: Mutex::new(options.rates),
            lease: options.lease,
            epoch: AtomicU64::new(0),
            sequences: Mutex::new(HashMap::new()),
        }
    }

    /// Which installation this is.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Writes what waits, lets go of the folder of nonces, and lets nothing in any more.
    pub fn close(&self) {
        *self.nonces.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Nonces::Closed;
    }

    /// What a signature must be like.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Follows changes of access that are durable. When it returns, no check that begins later sees what was before.
    pub fn follow(&self, events: &[AccessEvent], at: Timestamp) -> Result<(), SecretError> {
        // A panic while it was held left the table as it was or with the events: both are fit to go on from.
        let mut keys = self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let outcome = keys.apply(events, at);
        self.epoch.fetch_add(events.len() as u64, Ordering::Release);
        outcome
    }

    /// For how long this gate may go by the keys it has.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Reads the key table.
    pub fn keys<T>(&self, read: impl FnOnce(&KeyTable) -> T) -> T {
        read(&self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Reads access as the gate has it.
    pub fn access<T>(&self, read: impl FnOnce(&AccessState) -> T) -> T {
        self.keys(|keys| read(keys.access()))
    }

    /// As [`Gate::read`], for a request to somebody else's application, which may heed more fields than ours does:
    /// those must be covered too. `elsewhere` says what happens to content that the gate is not shown.
    pub fn read_foreign<'m>(
        &self,
        request: &Request<'m>,
        elsewhere: ContentElsewhere,
        now: Timestamp,
    ) -> Result<Candidate<'m>, GateRefusal> {
        let profile = Profile { content_elsewhere: elsewhere, ..self.foreign.clone() };
        self.read_by(request, &profile, now)
    }

    /// Bounds, key and freshness: everything that can be judged without the content and without a signature check.
    pub fn read<'m>(&self, request: &Request<'m>, now: Timestamp) -> Result<Candidate<'m>, GateRefusal> {
        self.read_by(request, &self.profile, now)
    }

    fn read_by<'m>(
        &self,
        request: &Request<'m>,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Candidate<'m>, GateRefusal> {
        self.lease.must_be_current()?;
        if let Some(bearer) = bearer_of(request.headers) {
            return self.read_bearer(request, bearer);
        }
        let signed = SignedRequest::read(request, profile)?;
        let key = KeyId::try_new(signed.key_id()).map_err(|_| AccessRefusal::KeyMustBeKnown)?;
        let verifier = self.keys(|keys| keys.verifier(&key)).ok_or(AccessRefusal::KeyMustBeKnown)?;
        signed.must_be_fresh(now.as_second(), profile)?;
        Ok(Candidate { claim: Claim::Signed(signed), key, verifier })
    }

    fn read_bearer<'m>(&self, request: &Request<'_>, text: &str) -> Result<Candidate<'m>, GateRefusal> {
        let is_read = matches!(*request.line.method, Method::GET | Method::HEAD);
        // Nothing vouches for content here, so there must be none; Gate::judge sees to what came undeclared.
        if !is_read || declares_content(request.headers) {
            return Err(GateRefusal::BearerMustOnlyRead);
        }
        let bearer = BearerKey::parse(text).map_err(|_| AccessRefusal::KeyMustBeKnown)?;
        let found = self.keys(|keys| keys.bearer(&bearer, &self.pepper));
        let (key, verifier) = found.ok_or(AccessRefusal::KeyMustBeKnown)?;
        Ok(Candidate { claim: Claim::Bearer(bearer), key, verifier })
    }

    /// Signature, nonce and authority, in this order: nobody without the key uses a nonce up, and a request that is
    /// not allowed has used its nonce all the same.
    pub fn judge(
        &self,
        candidate: Candidate<'_>,
        content: Content<'_>,
        need: &Need<'_>,
    ) -> Result<Permit, GateRefusal> {
        let Candidate { claim, key, verifier } = candidate;
        let (verified, kept_until, rate) = match (claim, &verifier.check) {
            (Claim::Signed(signed), Check::Signature(public)) => {
                let last = signed.last_second(&self.profile);
                let verified = signed.verify(public, content)?;
                self.must_be_in_mode(&key, verified.nonce(), need.now)?;
                let rate = self.spend(&key, verified.nonce(), verified.created(), need.now)?;
                (Some(verified), Timestamp::from_second(last).unwrap_or(need.now), rate)
            }
            (Claim::Bearer(_), _) if matches!(content, Content::Bytes([_, ..])) => {
                return Err(GateRefusal::BearerMustOnlyRead);
            }
            (Claim::Bearer(bearer), Check::Bearer(hash)) if bearer.matches(&self.pepper, hash) => {
                (None, need.now, self.count(&key, need.now)?)
            }
            _ => return Err(AccessRefusal::KeyMustBeKnown.into()),
        };
        let permit = self.permit(&key, need, verified, kept_until, rate)?;
        verifier.note_use(need.now);
        Ok(permit)
    }

    fn permit(
        &self,
        key: &KeyId,
        need: &Need<'_>,
        verified: Option<VerifiedRequest>,
        kept_until: Timestamp,
        rate: RateFields,
    ) -> Result<Permit, GateRefusal> {
        let demand =
            Demand { scope: need.scope, environment: self.environment, peer: need.peer, now: need.now };
        let permit = self.access(|access| {
            let authority = access.authorise(key, demand)?;
            Ok::<_, AccessRefusal>(Permit {
                principal: authority.principal().clone(),
                scopes: authority.key().lineage().grant.scopes.clone(),
                restriction: authority.key().lineage().restriction,
                expires: authority.key().version().expires,
                is_first_use: authority.key().version().state == KeyState::Pending,
                key: key.clone(),
                verified,
                kept_until,
                rate,
                // Read under the table's lock, under which it grows.
                epoch: self.epoch.load(Ordering::Acquire),
            })
        })?;
        // Last: a process that was stopped anywhere above finds its lease run out here.
        self.lease.must_be_current()?;
        Ok(permit)
    }

    /// Whether what was let in may still be answered: nothing of access that has changed since forbids it, and the
    /// lease holds. Asked last before an answer leaves, so that no answer follows the end of its key.
    pub fn must_still_stand(&self, permit: &Permit, need: &Need<'_>) -> Result<(), GateRefusal> {
        if self.epoch.load(Ordering::Acquire) != permit.epoch {
            let demand =
                Demand { scope: need.scope, environment: self.environment, peer: need.peer, now: need.now };
            self.access(|access| access.authorise(&permit.key, demand).map(drop))?;
        }
        self.lease.must_be_current()
    }

    /// Counts a request of a lineage whose signature is good and which did not come before: nobody else uses its rate up.
    fn count(&self, key: &KeyId, now: Timestamp) -> Result<RateFields, GateRefusal> {
        let restriction =
            self.access(|access| access.lineage(&key.lineage).and_then(|known| known.restriction));
        let mut rates = self.rates.lock().map_err(|_| GateRefusal::Failed)?;
        // A request of a throttled key weighs as many as fit in its place.
        let cost = match restriction {
            Some(Restriction::Throttled { per_minute }) => rates.policy().weight_of(per_minute),
            _ => 1,
        };
        let standing = rates.take(key.lineage.as_str(), cost, now)?;
        let policy = rates.policy();
        Ok(RateFields { policy: policy.to_field(), limit: standing.to_field(policy) })
    }

    /// A token that stands once for a signature of this key, for one purpose and context.
    pub fn issue_token(
        &self,
        permit: &Permit,
        purpose: &str,
        context: [u8; 32],
        now: Timestamp,
    ) -> Option<SessionToken> {
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).ok()?;
        let key = permit.key.to_string();
        let memory = self.memory().ok()?;
        let time = memory.window.time(now);
        Some(memory.tokens.issue(random, &TokenUse { lineage: &key, purpose, context }, time))
    }

    /// Uses up a token in place of a signature, for what it was issued for.
    pub fn redeem(
        &self,
        key: &KeyId,
        token: &str,
        (purpose, context): (&str, [u8; 32]),
        need: &Need<'_>,
    ) -> Result<Permit, GateRefusal> {
        let name = key.to_string();
        let for_use = TokenUse { lineage: &name, purpose, context };
        let admitted = {
            let mut memory = self.memory()?;
            let Memory { window, tokens, .. } = &mut *memory;
            let entry = tokens.redeem(window, token, &for_use, need.now)?;
            memory.admitted(entry)
        };
        self.keep(&admitted, ReplayRefusal::SessionTokenWasUsed)?;
        let rate = self.count(key, need.now)?;
        self.permit(key, need, None, need.now, rate)
    }

    /// What the key's own mode asks of a nonce beside being new. A number is used up even if the nonce is refused later.
    fn must_be_in_mode(&self, key: &KeyId, nonce: &[u8], now: Timestamp) -> Result<(), GateRefusal> {
        let mode = self.access(|access| access.lineage(&key.lineage).map(Lineage::replay_mode));
        match mode.unwrap_or_default() {
            ReplayMode::Nonce => Ok(()),
            ReplayMode::Challenge if is_challenge(nonce) => Ok(()),
            ReplayMode::Challenge => {
                Err(ReplayRefusal::MustAnswerAChallenge { until: now.as_second() }.into())
            }
            ReplayMode::Sequence => {
                let number = nonce.strip_prefix(&[0; 8]).and_then(|rest| rest.try_into().ok());
                let number = number.map(u64::from_be_bytes).ok_or(GateRefusal::NonceMustBeANumber)?;
                let mut sequences = self.sequences.lock().map_err(|_| GateRefusal::Failed)?;
                Ok(sequences.entry(key.lineage.clone()).or_default().accept(number)?)
            }
        }
    }

    /// Uses a nonce up for a lineage that is known. For an enrolment, its name stands for the lineage.
    pub fn spend_for(
        &self,
        name: &str,
        nonce: &[u8],
        created: i64,
        now: Timestamp,
    ) -> Result<(), GateRefusal> {
        let admitted = self.admit(name, nonce, created, now)?;
        self.keep(&admitted, ReplayRefusal::NonceWasUsed)
    }

    /// The nonce first, then the rate: a captured request that is sent again and again has a good signature, and must
    /// not use up the rate of whoever signed it. What is beyond the rate is not worth a wait for the disk: it is not
    /// executed, so its nonce need not outlive the process.
    fn spend(
        &self,
        key: &KeyId,
        nonce: &[u8],
        created: i64,
        now: Timestamp,
    ) -> Result<RateFields, GateRefusal> {
        let admitted = self.admit(key.lineage.as_str(), nonce, created, now)?;
        let rate = self.count(key, now)?;
        self.keep(&admitted, ReplayRefusal::NonceWasUsed)?;
        Ok(rate)
    }

    /// A fresh nonce for whoever was refused and may try again: unique, made without memory, good once.
    pub fn challenge(&self, now: Timestamp) -> Option<Nonce> {
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).ok()?;
        let memory = self.memory().ok()?;
        let time = memory.window.time(now);
        Nonce::try_new(memory.challenges.issue(random, None, time).as_bytes()).ok()
    }
}

impl Gate {
    /// What a refusal tells for its healing: what to sign, with a fresh challenge, and when to come back.
    pub fn healing(&self, refusal: &GateRefusal, now: Timestamp) -> Vec<(HeaderName, HeaderValue)> {
        let mut fields = Vec::new();
        if refusal.status() == StatusCode::UNAUTHORIZED {
            fields.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature")));
            let accept =
                self.challenge(now).map(|nonce| AcceptSignature::challenge(&self.profile.tag, &nonce));
            if let Some(Ok(value)) = accept.map(|accept| accept.header_value()) {
                fields.push((ACCEPT_SIGNATURE, value));
            }
        }
        fields
            .extend(refusal.retry_after_seconds().map(|wait| (header::RETRY_AFTER, HeaderValue::from(wait))));
        fields
    }
}

fn declares_content(headers: &HeaderMap) -> bool {
    let is_long = |length: &HeaderValue| length.as_bytes().iter().any(|digit| *digit != b'0');
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get_all(header::CONTENT_LENGTH).iter().any(is_long)
}

/// The bearer key of a request that shows one of ours.
fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    text.strip_prefix("Bearer ").filter(|token| token.starts_with("sr_"))
}
