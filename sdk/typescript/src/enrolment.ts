/** Enrolling: the key is made here, its private half never leaves, and the server's keys are pinned. */

import { baseOf, urlOf } from "./address.js";
import { encodeBase64 } from "./bytes.js";
import { Client, type Options } from "./client.js";
import { DIRECTORY, readDirectory } from "./directory.js";
import { StrongroomError } from "./errors.js";
import { type KeyFile, keyFileOfSeed, type ServerKey, serverKeyOf, verifyingKeyOf } from "./keyfile.js";
import { KeyRing } from "./ring.js";
import { Fields, SigningKey } from "./signature/index.js";
import { carry } from "./transport.js";

async function lookUp(base: string, options: Options): Promise<ServerKey[]> {
  const wire = { method: "GET", url: urlOf(base, DIRECTORY), fields: new Fields(), content: new Uint8Array() };
  const came = await carry(options.fetch ?? globalThis.fetch, wire, options.timeoutSeconds ?? 30);
  return came.status === 200 ? readDirectory(new TextDecoder().decode(came.content)) : [];
}

/**
 * Makes an Ed25519 key, enrols its public half with a one-time code, and gives what belongs into the key file. The
 * server's keys are taken from its directory first, and every answer is checked with them: on first contact the transport
 * alone vouches for that directory, so use https or loopback. A lost answer is not asked for again: the code is good once.
 */
export async function enrol(server: string, code: string, options: Options = {}): Promise<KeyFile> {
  const [, enrolment, secret] = /^([^.]+)\.(.+)$/.exec(code.trim()) ?? [];
  if (enrolment === undefined || secret === undefined) {
    throw new StrongroomError("client.code_must_be_whole", "a one-time code is a name, a dot and a secret");
  }
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = await SigningKey.ed25519(seed);
  const base = baseOf(server);
  const listed = await lookUp(base, options);
  const pinned = await Promise.all(listed.map(async (each) => [each.key, await verifyingKeyOf(each)] as const));
  const client = new Client(base, new KeyRing({ keyId: enrolment, key }), new Map(pinned), options);
  const json = { code: secret, algorithm: "ed25519", public_key: encodeBase64(key.publicKey ?? new Uint8Array()) };
  const answer = await client.requestOnce("POST", `/v1/enrolments/${enrolment}`, { json });
  const enrolled = answer.success<{ key: string; expires: string; server_keys: ServerKey[] }>();
  return keyFileOfSeed(base, enrolled.key, seed, enrolled.server_keys.map(serverKeyOf), enrolled.expires);
}

/** The key file of an HMAC secret, in base64, that the server made, with the server's keys from its directory. */
export async function importSecret(
  server: string,
  key: string,
  secret: string,
  options: Options = {},
): Promise<KeyFile> {
  const base = baseOf(server);
  return {
    server: base,
    key,
    algorithm: "hmac-sha256",
    secret,
    server_keys: await lookUp(base, options),
    expires: null,
  };
}
