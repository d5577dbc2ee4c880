/** Signing, sending, believing. */

import { baseOf, urlOf } from "./address.js";
import { Answer } from "./answer.js";
import { type Bytes, utf8 } from "./bytes.js";
import { DIRECTORY, readDirectory, vouched } from "./directory.js";
import { SignatureError, StrongroomError, TransportError, UnbelievableAnswer } from "./errors.js";
import { LIFETIME_SECONDS, maySendAgain } from "./healing.js";
import { type KeyFile, verifyingKeyOf } from "./keyfile.js";
import { type ClientKey, clientKeyOf, KeyRing } from "./ring.js";
import {
  DEFAULT_PROFILE,
  Fields,
  forAnyApplication,
  type Profile,
  type Request,
  SignedResponse,
  signRequest,
  type VerifyingKey,
} from "./signature/index.js";
import { boundedLines, dictionary } from "./signature/input.js";
import { decodeNonce } from "./signature/nonce.js";
import { SIGNED_FIELDS } from "./signature/request.js";
import { Broken, SIGNATURE_INPUT_BYTES_MAX } from "./signature/rules.js";
import { isInnerList } from "./signature/structured.js";
import { type Came, carry } from "./transport.js";

/** How to talk. */
export interface Options {
  /** Where the server is, when it is not where the key file says. */
  readonly server?: string;
  /**
   * `signed`, or `any` to take also what an application behind the gate answers, which nobody signs: such answers move no
   * clock, and no request is signed anew because of one.
   */
  readonly answers?: "signed" | "any";
  /** For how long a request is tried again whose answer was lost, freshly signed under one idempotency key; 0 for never. */
  readonly retrySeconds?: number;
  /** For each try. */
  readonly timeoutSeconds?: number;
  /** In place of the global one: for certificates of one's own, say. */
  readonly fetch?: typeof fetch;
}

/** What goes with a request. */
export interface Given {
  readonly json?: unknown;
  readonly content?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
  /** To ask again later, after a crash say, and have one effect. */
  readonly idempotencyKey?: string;
}

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly fields: Fields;
  readonly content: Bytes;
  readonly mayRepeat: boolean;
}

interface Tried {
  readonly answer: Answer;
  readonly came: Came;
  readonly key: ClientKey;
  readonly created: number;
  readonly serverTime: number | null;
}

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];
const OF_THE_TRANSPORT = ["host", "content-length", "transfer-encoding", "connection"];
const COME_BACK = [429, 503];
const OF_A_PROXY = [502, 503, 504];
const IN_USE = "request.idempotency_key_must_not_be_in_use";
const KEY_HAS_ENDED = [
  "key.must_be_known",
  "key.must_not_be_expired",
  "key.must_not_be_retired",
  "key.must_not_be_revoked",
];
const FIRST_PAUSE_SECONDS = 0.1;
const LONGEST_PAUSE_SECONDS = 2;

function now(): number {
  return Math.floor(Date.now() / 1_000);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}

/** A key, its server, and what is known of the server's clock. */
export class Client {
  /** The key that signs, and the one that is to follow. */
  readonly ring: KeyRing;
  /** Where the server is. */
  readonly server: string;
  #pinned: ReadonlyMap<string, VerifyingKey>;
  #aheadSeconds = 0;
  readonly #profile: Profile;
  readonly #options: Required<Omit<Options, "server">>;

  /** `Client.of` makes one from a key file. */
  constructor(server: string, ring: KeyRing, pinned: ReadonlyMap<string, VerifyingKey>, options: Options = {}) {
    const { answers = "signed", retrySeconds = 10, timeoutSeconds = 30 } = options;
    this.#options = { answers, retrySeconds, timeoutSeconds, fetch: options.fetch ?? globalThis.fetch };
    this.#profile = answers === "any" ? forAnyApplication(DEFAULT_PROFILE) : DEFAULT_PROFILE;
    this.server = baseOf(options.server ?? server);
    this.ring = ring;
    this.#pinned = pinned;
  }

  /** A client of a key file. Throws StrongroomError. */
  static async of(keys: KeyFile, options: Options = {}): Promise<Client> {
    const pinned = await Promise.all(
      keys.server_keys.map(async (key) => [key.key, await verifyingKeyOf(key)] as const),
    );
    return new Client(keys.server, new KeyRing(await clientKeyOf(keys)), new Map(pinned), options);
  }

  /** Assumes that the server's clock is so many seconds ahead of this machine's, as was learned before. */
  assumeClock(aheadSeconds: number): void {
    this.#aheadSeconds = aheadSeconds;
  }

  /** Reads. As `request`. */
  async get(target: string, given: Given = {}): Promise<Answer> {
    return await this.request("GET", target, given);
  }

  /** Sends JSON, or content. As `request`. */
  async post(target: string, given: Given = {}): Promise<Answer> {
    return await this.request("POST", target, given);
  }

  /** Withdraws. As `request`. */
  async delete(target: string, given: Given = {}): Promise<Answer> {
    return await this.request("DELETE", target, given);
  }

  /**
   * Sends a request, and gives what the server answered, a refusal too. Throws StrongroomError. A request that changes
   * something goes under an idempotency key, and is tried again under it while its answer is lost.
   */
  async request(method: string, target: string, given: Given = {}): Promise<Answer> {
    return await this.#repeated(this.#sentOf(method, target, given, true));
  }

  /** As `request`, for what is good once: a lost answer is not asked for again. */
  async requestOnce(method: string, target: string, given: Given = {}): Promise<Answer> {
    return await this.#repeated(this.#sentOf(method, target, given, false));
  }

  #sentOf(method: string, target: string, given: Given, mayRepeat: boolean): Sent {
    const fields = new Fields(Object.entries(given.headers ?? {})).without(...SIGNED_FIELDS);
    for (const name of OF_THE_TRANSPORT) {
      if (!fields.has(name)) continue;
      throw new StrongroomError("client.header_must_be_the_callers", `${name} is made from the request; leave it out`);
    }
    if (given.json !== undefined && !fields.has("content-type")) fields.append("content-type", "application/json");
    const isSafe = SAFE_METHODS.includes(method);
    if (!isSafe && !fields.has("idempotency-key")) {
      fields.append("idempotency-key", given.idempotencyKey ?? `"${crypto.randomUUID()}"`);
    }
    const content = given.json === undefined ? (given.content ?? new Uint8Array()) : utf8(JSON.stringify(given.json));
    // Whether somebody else's application heeds the key, nobody knows.
    const isKnown = isSafe || this.#options.answers === "signed";
    return { method, target, fields, content, mayRepeat: mayRepeat && isKnown };
  }

  async #repeated(sent: Sent): Promise<Answer> {
    const until = performance.now() / 1_000 + this.#options.retrySeconds;
    const isTooLate = (wait: number) => performance.now() / 1_000 + wait > until;
    let tries = 0;
    for (let longest = FIRST_PAUSE_SECONDS; ; longest = Math.min(longest * 2, LONGEST_PAUSE_SECONDS)) {
      // Spreads a fleet, guards nothing.
      let wait = (longest * (1 + Math.random())) / 2;
      try {
        const { status, headers, content, tries: more, isSigned } = await this.#healed(sent);
        tries += more;
        const answer = new Answer(status, headers, content, tries, isSigned);
        const again = sent.mayRepeat ? comeBackAfter(answer, wait) : undefined;
        if (again === undefined || isTooLate(again)) return answer;
        wait = again;
      } catch (error) {
        if (!(error instanceof TransportError) || (error.wasSent && !sent.mayRepeat) || isTooLate(wait)) throw error;
        tries += 1;
      }
      await sleep(wait);
    }
  }

  /** One try, signed anew once where the refusal says that this heals it, or the key was swapped meanwhile. */
  async #healed(sent: Sent): Promise<Answer> {
    const first = await this.#attempt(sent);
    const challenge = this.#challenge(first);
    const hasEnded = first.serverTime !== null && KEY_HAS_ENDED.includes(first.answer.code ?? "");
    if (challenge === undefined && !(hasEnded && this.ring.current !== first.key)) return first.answer;
    const { status, headers, content, isSigned } = (await this.#attempt(sent, challenge)).answer;
    return new Answer(status, headers, content, 2, isSigned);
  }

  /** The nonce that the server wants, `any` where it says none; undefined where signing anew does not heal. */
  #challenge({ answer, came, created, serverTime }: Tried): Bytes | "any" | undefined {
    // Only a signed answer to this very request tells the time; an old one would set the clock back.
    if (answer.status !== 401 || answer.code === undefined || serverTime === null) return undefined;
    if (!maySendAgain(answer.code, { created, tookSeconds: came.tookSeconds }, serverTime)) return undefined;
    this.#aheadSeconds = serverTime - now();
    return askedNonce(came.fields) ?? "any";
  }

  async #attempt(sent: Sent, challenge: Bytes | "any" = "any"): Promise<Tried> {
    const url = urlOf(this.server, sent.target);
    const key = this.ring.current;
    const fields = new Fields(sent.fields.pairs);
    const query = url.search === "" ? null : url.search.slice(1);
    const scheme = url.protocol.slice(0, -1);
    const request = { target: { method: sent.method, scheme, authority: url.host, path: url.pathname, query }, fields };
    const created = now() + this.#aheadSeconds;
    const nonce = challenge === "any" ? crypto.getRandomValues(new Uint8Array(24)) : challenge;
    const parameters = { keyId: key.keyId, created, expires: created + LIFETIME_SECONDS, nonce };
    await signRequest(request, key.key, parameters, sent.content, this.#profile);
    const wire = { method: sent.method, url, fields, content: sent.content };
    const came = await carry(this.#options.fetch, wire, this.#options.timeoutSeconds);
    const believed = await this.#judged(came, request);
    const answer = new Answer(came.status, came.headers, came.content, 1, believed !== undefined);
    return { answer, came, key, created, serverTime: believed ?? null };
  }

  /** The server's time, or null where the answer may be old; undefined where nobody signed it and nobody need. */
  async #judged(came: Came, request: Request): Promise<number | null | undefined> {
    try {
      return await this.#believe(came, request);
    } catch (error) {
      const isUnbelievable = error instanceof UnbelievableAnswer;
      if (this.#options.answers === "any" && (isUnbelievable || error instanceof TransportError)) return undefined;
      if (!isUnbelievable || !OF_A_PROXY.includes(came.status)) throw error;
      throw new TransportError(`a proxy answered ${came.status}`, true, { cause: error });
    }
  }

  /** Checks an answer, and gives the server's time if it is bound to this request. */
  async #believe(came: Came, request: Request): Promise<number | null> {
    try {
      const signed = await SignedResponse.read({ status: came.status, fields: came.fields, request });
      if (!this.#pinned.has(signed.keyId)) await this.#followRotation();
      const key = this.#pinned.get(signed.keyId);
      if (key === undefined) throw new UnbelievableAnswer(`the key ${signed.keyId} is not pinned`);
      return await signed.verify(key, came.content);
    } catch (error) {
      throw error instanceof SignatureError ? new UnbelievableAnswer(error) : error;
    }
  }

  /** Believes each newer key that the one before it vouches for, and no other, whatever the directory says. */
  async #followRotation(): Promise<void> {
    const url = urlOf(this.server, DIRECTORY);
    const wire = { method: "GET", url, fields: new Fields(), content: new Uint8Array() };
    const came = await carry(this.#options.fetch, wire, this.#options.timeoutSeconds).catch((error: unknown) => {
      // The request whose answer is being judged was sent, whatever became of this one.
      if (!(error instanceof TransportError)) throw error;
      throw new TransportError(`the directory of the server's keys: ${error.message}`, true, { cause: error });
    });
    const listed = came.status === 200 ? readDirectory(new TextDecoder().decode(came.content)) : [];
    this.#pinned = await vouched(listed, this.#pinned);
  }
}

/** Seconds to wait where the server said that it did not execute this yet, and to ask again. */
function comeBackAfter(answer: Answer, pause: number): number | undefined {
  if (!answer.isSigned || !(COME_BACK.includes(answer.status) || answer.code === IN_USE)) return undefined;
  const said = answer.headers.get("retry-after") ?? "";
  return /^[0-9]{1,9}$/.test(said) ? Math.max(pause, Number(said)) : pause;
}

/** The challenge of `Accept-Signature`; undefined where there is none. */
function askedNonce(fields: Fields): Bytes | undefined {
  try {
    const lines = boundedLines(fields, "accept-signature", SIGNATURE_INPUT_BYTES_MAX);
    for (const member of dictionary("accept-signature", lines).values()) {
      const nonce = isInnerList(member) ? member.parameters.get("nonce") : undefined;
      if (nonce?.type === "string") return decodeNonce(nonce.value);
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
  }
  return undefined;
}
