/** The keys of a running client: the one that signs now, and the one that is to follow it. */

import { StrongroomError } from "./errors.js";
import { type KeyFile, signingKeyOf } from "./keyfile.js";
import type { SigningKey } from "./signature/index.js";

/** A key under its name, the `keyid` of its signatures. */
export interface ClientKey {
  readonly keyId: string;
  readonly key: SigningKey;
}

/** The key of a key file, to be staged. */
export async function clientKeyOf(keys: KeyFile): Promise<ClientKey> {
  return { keyId: keys.key, key: await signingKeyOf(keys) };
}

/**
 * Current and next key. Each signature takes the current key once, whole, so name and secret always fit each other. A
 * request whose key was swapped while it was on its way, and which was refused for that, is signed anew with the key that
 * is current then. Both keys are of one lineage: idempotency keys belong to it, so what is asked again has one effect.
 */
export class KeyRing {
  #current: ClientKey;
  #next: ClientKey | undefined;

  constructor(current: ClientKey) {
    this.#current = current;
  }

  /** The key that signs. */
  get current(): ClientKey {
    return this.#current;
  }

  /** The key that is to follow, if there is one. */
  get next(): ClientKey | undefined {
    return this.#next;
  }

  /** Holds a key that is to follow. The current one goes on signing. */
  stage(key: ClientKey): void {
    this.#next = key;
  }

  /** Signs with the next key from now on; gives the one that signed before. Throws StrongroomError. */
  promote(): ClientKey {
    const [before, following] = [this.#current, this.#next];
    if (following === undefined) {
      throw new StrongroomError("client.next_key_must_be_staged", "no key was staged to follow this one");
    }
    this.#current = following;
    this.#next = undefined;
    return before;
  }

  /** Forgets the key that was to follow. */
  dropNext(): void {
    this.#next = undefined;
  }
}
