/** What a key file holds: a client's key and whom it talks to; the same file that the command line writes. */

import { decodeBase64, encodeBase64 } from "./bytes.js";
import { KeyFileError } from "./errors.js";
import { SigningKey, VerifyingKey } from "./signature/index.js";

/** A server's signing key that is believed; `public_key` and `vouched` are base64. */
export interface ServerKey {
  readonly key: string;
  readonly algorithm: string;
  readonly public_key: string;
  readonly vouched?: string;
}

/** A client's key. `secret` is the seed or the HMAC secret in base64; `expires` is for people. */
export interface KeyFile {
  readonly server: string;
  readonly key: string;
  readonly algorithm: string;
  readonly secret: string;
  readonly server_keys: readonly ServerKey[];
  readonly expires: string | null;
}

/** Where a client's key is kept. */
export interface KeyStore {
  /** The key as it is kept now. */
  load(): Promise<KeyFile>;
  /** Keeps another in its place; durable when this resolves. */
  save(keys: KeyFile): Promise<void>;
}

function isServerKey(value: unknown): value is ServerKey {
  const { key, algorithm, public_key } = value as Record<string, unknown>;
  return [key, algorithm, public_key].every((text) => typeof text === "string");
}

/** Reads the text of a key file. Throws KeyFileError, which does not repeat what is in it. */
export function parseKeyFile(text: string, path = "the key"): KeyFile {
  try {
    const { server, key, algorithm, secret, server_keys, expires } = JSON.parse(text) as Record<string, unknown>;
    const texts = [server, key, algorithm, secret];
    if (
      texts.every((each) => typeof each === "string") &&
      Array.isArray(server_keys) &&
      server_keys.every(isServerKey)
    ) {
      const [ownServer, ownKey, ownAlgorithm, ownSecret] = texts as [string, string, string, string];
      return {
        server: ownServer,
        key: ownKey,
        algorithm: ownAlgorithm,
        secret: ownSecret,
        server_keys: server_keys.map(serverKeyOf),
        expires: typeof expires === "string" ? expires : null,
      };
    }
  } catch (error) {
    // The text of a parse error may repeat what is in the file.
    if (error instanceof KeyFileError) throw error;
  }
  throw new KeyFileError(path, "it is no key file");
}

/** The known members of a server key. */
export function serverKeyOf(value: ServerKey): ServerKey {
  const { key, algorithm, public_key, vouched } = value;
  return typeof vouched === "string" ? { key, algorithm, public_key, vouched } : { key, algorithm, public_key };
}

/** The text of a key file. It holds the secret. */
export function keyFileText(keys: KeyFile): string {
  const { server, key, algorithm, secret, server_keys, expires } = keys;
  return `${JSON.stringify({ server, key, algorithm, secret, server_keys, expires }, null, 2)}\n`;
}

/** The key that signs. Throws StrongroomError where it is none. */
export async function signingKeyOf(keys: KeyFile): Promise<SigningKey> {
  const secret = decodeBase64(keys.secret) ?? new Uint8Array();
  if (keys.algorithm === "ed25519") return await SigningKey.ed25519(secret);
  if (keys.algorithm === "hmac-sha256") return await SigningKey.hmacSha256(secret);
  throw new KeyFileError(keys.key, `keys of ${keys.algorithm} are not kept in files; use ed25519 or hmac-sha256`);
}

/** The key that verifies answers. */
export async function verifyingKeyOf(key: ServerKey): Promise<VerifyingKey> {
  return await VerifyingKey.ed25519(decodeBase64(key.public_key) ?? new Uint8Array());
}

/** The key file of an Ed25519 seed. */
export function keyFileOfSeed(
  server: string,
  key: string,
  seed: Uint8Array,
  serverKeys: readonly ServerKey[],
  expires: string | null = null,
): KeyFile {
  return { server, key, algorithm: "ed25519", secret: encodeBase64(seed), server_keys: serverKeys, expires };
}
