/** Webhooks in (Standard Webhooks 1.0.0): signature, time, and that each is acted on once. */

import { areEqual, type Bytes, concatenated, decodeBase64, utf8 } from "./bytes.js";
import { WebhookError } from "./errors.js";
import { VerifyingKey } from "./signature/index.js";

const TOLERANCE_SECONDS = 300;
const SIGNATURES_MAX = 16;
const SIGNATURE_CHARACTERS_MAX = 4_096;
// No full stop: it would let the boundary between id, time and content be moved under one signature.
const ID = /^[!-\-/-~]{1,256}$/;
const TIME = /^[0-9]{1,15}$/;
const FORM = "webhook.must_be_well_formed";

/** One that may be acted on: its id, the second since 1970 of this attempt, and its content. */
export interface Webhook {
  readonly id: string;
  readonly timestamp: number;
  readonly content: Bytes;
}

/** `new` for exactly one caller, `busy` while that one acts, `done` afterwards. */
export type Begun = "new" | "busy" | "done";

/** Which ids were acted on. A store of several processes must answer `begin` for all of them at once. */
export interface SeenIds {
  begin(id: string, now: number): Begun | Promise<Begun>;
  /** It was acted on. */
  finish(id: string): void | Promise<void>;
  /** It was not: the next attempt is to be taken. */
  abandon(id: string): void | Promise<void>;
}

/**
 * Ids in memory, a bounded number, each for three days and a half: longer than senders usually retry. None is forgotten
 * while a captured attempt could still pass for fresh: where there is no room, new ones are refused.
 */
export class MemoryOfIds implements SeenIds {
  readonly #ids = new Map<string, { readonly begun: number; isDone: boolean }>();

  constructor(
    private readonly idsMax = 100_000,
    private readonly seconds = 302_400,
    private readonly toleranceSeconds = TOLERANCE_SECONDS,
  ) {}

  begin(id: string, now: number): Begun {
    while (this.#forgetOldest(now - this.seconds));
    const known = this.#ids.get(id);
    if (known !== undefined) return known.isDone ? "done" : "busy";
    if (this.#ids.size >= this.idsMax && !this.#forgetOldest(now - 2 * this.toleranceSeconds)) {
      const text = `${this.idsMax} ids are remembered and none may be forgotten yet; answer 503`;
      throw new WebhookError("webhook.memory_must_have_room", text);
    }
    this.#ids.set(id, { begun: now, isDone: false });
    return "new";
  }

  #forgetOldest(until: number): boolean {
    const [oldest] = this.#ids;
    if (oldest === undefined || oldest[1].begun >= until) return false;
    return this.#ids.delete(oldest[0]);
  }

  finish(id: string): void {
    const known = this.#ids.get(id);
    if (known !== undefined) known.isDone = true;
  }

  abandon(id: string): void {
    this.#ids.delete(id);
  }
}

/** What a receiver heeds. */
export interface ReceiverOptions {
  readonly toleranceSeconds?: number;
  readonly seen?: SeenIds;
}

/** Header fields: those of `fetch` or of Node, or pairs. */
export type WebhookHeaders =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | string[] | undefined>>;

type Fits = (text: Bytes, signature: Bytes) => Promise<boolean>;

/** Judges webhooks by the secrets of one sender; several while the sender rotates its own. */
export class WebhookReceiver {
  private constructor(
    private readonly known: readonly { readonly version: string; readonly fits: Fits }[],
    private readonly toleranceSeconds: number,
    private readonly seen: SeenIds,
  ) {}

  /** Secrets are `whsec_` (HMAC) or `whpk_` (the public half of an Ed25519 key). Throws WebhookError. */
  static async of(secrets: readonly string[], options: ReceiverOptions = {}): Promise<WebhookReceiver> {
    const { toleranceSeconds = TOLERANCE_SECONDS } = options;
    const seen = options.seen ?? new MemoryOfIds(undefined, undefined, toleranceSeconds);
    if (secrets.length === 0) throw new WebhookError("webhook.secret_must_fit", "give at least one secret");
    return new WebhookReceiver(await Promise.all(secrets.map(knownOf)), toleranceSeconds, seen);
  }

  /** Judges signature and time, and not whether the id is new. Content is the body as it came. Throws WebhookError. */
  async verify(headers: WebhookHeaders, content: Bytes, now = Date.now() / 1_000): Promise<Webhook> {
    const [id, stamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => {
      return oneOf(headers, name);
    }) as [string, string, string];
    if (!ID.test(id)) throw new WebhookError(FORM, "webhook-id is 1 to 256 characters without a full stop");
    if (!TIME.test(stamp)) throw new WebhookError(FORM, "webhook-timestamp is seconds since 1970");
    const age = now - Number(stamp);
    if (Math.abs(age) > this.toleranceSeconds) {
      const text = `it was signed ${age.toFixed(0)} seconds ago, and at most ${this.toleranceSeconds} are tolerated`;
      throw new WebhookError("webhook.must_be_fresh", text);
    }
    if (!(await this.isSigned(signatures, concatenated([utf8(`${id}.${stamp}.`), content])))) {
      const text = "no signature fits this content and a known secret";
      throw new WebhookError("webhook.signature_must_be_valid", text);
    }
    return { id, timestamp: Number(stamp), content };
  }

  private async isSigned(signatures: string, text: Bytes): Promise<boolean> {
    const given = signatures.split(" ");
    if (signatures.length > SIGNATURE_CHARACTERS_MAX || given.length > SIGNATURES_MAX) {
      throw new WebhookError(FORM, `at most ${SIGNATURES_MAX} signatures are looked at`);
    }
    for (const each of given) {
      const [, version, encoded = ""] = /^([^,]*),(.*)$/.exec(each) ?? [];
      const made = decodeBase64(encoded);
      if (made === undefined) continue;
      for (const known of this.known) {
        if (known.version === version && (await known.fits(text, made))) return true;
      }
    }
    return false;
  }

  /**
   * Judges a webhook, and lets one caller act on it; when `act` fails, the sender's next attempt is taken. Throws
   * WebhookError. `webhook.id_must_be_new` says that it was acted on before: answer 200, or the sender goes on. After
   * `webhook.id_must_not_be_in_use` another caller is acting on it: answer 409, and the sender asks again.
   */
  async receive<T>(
    headers: WebhookHeaders,
    content: Bytes,
    act: (webhook: Webhook) => T | Promise<T>,
    now = Date.now() / 1_000,
  ): Promise<T> {
    const webhook = await this.verify(headers, content, now);
    const begun = await this.seen.begin(webhook.id, now);
    if (begun === "done") throw new WebhookError("webhook.id_must_be_new", `${webhook.id} was acted on; answer 200`);
    if (begun === "busy") {
      throw new WebhookError("webhook.id_must_not_be_in_use", `${webhook.id} is being acted on; answer 409`);
    }
    let acted: T;
    try {
      acted = await act(webhook);
    } catch (error) {
      await this.seen.abandon(webhook.id);
      throw error;
    }
    await this.seen.finish(webhook.id);
    return acted;
  }
}

async function knownOf(secret: string): Promise<{ version: string; fits: Fits }> {
  const [, prefix, text = ""] = /^([a-z]+)_(.*)$/.exec(secret) ?? [];
  const material = decodeBase64(text);
  if (prefix === "whsec" && material !== undefined && material.length >= 24 && material.length <= 64) {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", material, hmac, false, ["sign"]);
    const fits: Fits = async (signed, mac) => {
      return areEqual(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)), mac);
    };
    return { version: "v1", fits };
  }
  if (prefix === "whpk" && material?.length === 32) {
    const key = await VerifyingKey.ed25519(material);
    return { version: "v1a", fits: (signed, signature) => key.isSigned(signed, signature) };
  }
  const wanted = "a secret is whsec_ and base64 of 24 to 64 bytes, or whpk_ and base64 of an Ed25519 public key";
  throw new WebhookError("webhook.secret_must_fit", wanted);
}

function isIterable(headers: WebhookHeaders): headers is Iterable<readonly [string, string]> {
  return Symbol.iterator in headers;
}

function oneOf(headers: WebhookHeaders, name: string): string {
  const pairs = isIterable(headers)
    ? [...headers]
    : Object.entries(headers).flatMap(([own, value]) => [value ?? []].flat().map((each) => [own, each] as const));
  const [value, ...others] = pairs.filter(([own]) => own.toLowerCase() === name).map(([, each]) => each);
  if (value !== undefined && others.length === 0) return value.trim();
  throw new WebhookError(FORM, `one ${name} field is wanted, and ${value === undefined ? 0 : others.length + 1} came`);
}
