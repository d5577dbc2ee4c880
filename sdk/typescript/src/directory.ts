/** The server's list of the keys with which it signs, a JSON Web Key Set: believed as far as the transport is. */

import { decodeBase64, encodeBase64, utf8 } from "./bytes.js";
import { type ServerKey, verifyingKeyOf } from "./keyfile.js";
import type { VerifyingKey } from "./signature/index.js";

/** Where it is. */
export const DIRECTORY = "/.well-known/http-message-signatures-directory";

/** The Ed25519 keys of a key set, the oldest first; what cannot be read is passed over. */
export function readDirectory(text: string): ServerKey[] {
  let listed: unknown;
  try {
    listed = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  } catch {
    return [];
  }
  // The directory has the newest first; a chain is followed from the oldest on.
  return Array.isArray(listed) ? listed.flatMap(readOne).reverse() : [];
}

function readOne(listed: unknown): ServerKey[] {
  const { kid, x, vouched } = (listed ?? {}) as Record<string, unknown>;
  if (typeof kid !== "string" || typeof x !== "string") return [];
  const bytes = decodeBase64(x.replaceAll("-", "+").replaceAll("_", "/"));
  if (bytes === undefined) return [];
  const key = { key: kid, algorithm: "ed25519", public_key: encodeBase64(bytes) };
  return [typeof vouched === "string" ? { ...key, vouched } : key];
}

/** What an old key of a server signs when it vouches for its successor. */
export function vouchText(key: ServerKey): string {
  return `strongroom server key\n${key.key}\n${key.algorithm}\n${key.public_key}\n`;
}

/** The pinned keys, and each listed one that the one before it vouches for. */
export async function vouched(
  listed: readonly ServerKey[],
  pinned: ReadonlyMap<string, VerifyingKey>,
): Promise<Map<string, VerifyingKey>> {
  const believed = new Map(pinned);
  for (const [at, later] of listed.entries()) {
    const old = believed.get(listed[at - 1]?.key ?? "");
    const signature = decodeBase64(later.vouched ?? "");
    if (old === undefined || signature === undefined || believed.has(later.key)) continue;
    if (await old.isSigned(utf8(vouchText(later)), signature)) believed.set(later.key, await verifyingKeyOf(later));
  }
  return believed;
}
