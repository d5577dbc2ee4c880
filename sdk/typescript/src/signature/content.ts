/** Content and its digest (RFC 9530, and section 1.4 of the profile). */

import { areEqual, type Bytes, encodeBase64 } from "../bytes.js";
import { byteSequences } from "./input.js";
import type { Fields } from "./message.js";
import { Broken, CONTENT_DIGEST_BYTES_MAX, malformed, mustCover } from "./rules.js";

const ALGORITHMS = new Map([
  ["sha-256", { name: "SHA-256", length: 32 }],
  ["sha-512", { name: "SHA-512", length: 64 }],
]);
const WITHOUT_CONTENT = ["GET", "HEAD", "DELETE", "OPTIONS"];

/** By `sha-256` and `sha-512`, one of them at least. */
export type Digests = Map<string, Bytes>;

async function hash(name: string, content: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(name, content));
}

/** The value of `Content-Digest`, by sha-256. */
export async function contentDigest(content: Bytes): Promise<string> {
  return `sha-256=:${encodeBase64(await hash("SHA-256", content))}:`;
}

/** Whether the fields say that there is content (true), or that there is none (false), or nothing (undefined). */
export function declared(fields: Fields): boolean | undefined {
  const [length, ...others] = fields.lines("content-length");
  const isCoded = fields.has("transfer-encoding");
  if (length === undefined) return isCoded ? true : undefined;
  const digits = length.trim();
  if (others.length > 0 || isCoded || !/^[0-9]+$/.test(digits)) throw malformed("content-length");
  return !/^0+$/.test(digits);
}

function readDigests(fields: Fields): Digests | undefined {
  const [line, ...others] = fields.lines("content-digest");
  if (line === undefined) return undefined;
  if (others.length > 0 || line.length > CONTENT_DIGEST_BYTES_MAX) throw malformed("content-digest");
  const found: Digests = new Map();
  for (const [name, digest] of byteSequences("content-digest", [line])) {
    const known = ALGORITHMS.get(name);
    if (known === undefined) continue;
    if (digest?.length !== known.length) throw malformed("content-digest");
    found.set(name, digest);
  }
  if (found.size > 0) return found;
  throw new Broken("digest_must_be_sha_256_or_sha_512", "Content-Digest must have sha-256 or sha-512");
}

/** The digests, which must be covered where they are present, and present where there is content. */
export function coveredDigests(fields: Fields, isCovered: boolean, hasContent: boolean | undefined) {
  const digests = readDigests(fields);
  if (digests === undefined && hasContent === true) throw missing();
  if (digests !== undefined && !isCovered) throw mustCover('"content-digest"');
  return digests;
}

function missing(): Broken {
  return new Broken("content_must_have_digest", "a message with content must have a Content-Digest");
}

/** Compares content with every digest that can be judged. */
export async function mustMatch(digests: Digests | undefined, content: Bytes): Promise<void> {
  if (digests === undefined && content.length > 0) throw missing();
  for (const [name, digest] of digests ?? []) {
    if (!areEqual(await hash(ALGORITHMS.get(name)?.name ?? "", content), digest)) {
      throw new Broken("content_must_match_digest", "the content must match its Content-Digest");
    }
  }
}

/** Refuses what has content, or may have it, where the judge does not see it. */
export async function mayPassUnseen(hasContent: boolean | undefined, method: string, digests: Digests | undefined) {
  if (hasContent === false) return await mustMatch(digests, new Uint8Array());
  if (hasContent === undefined && digests === undefined && WITHOUT_CONTENT.includes(method)) return;
  throw new Broken("content_must_be_checked", "the content must be where it can be checked");
}
