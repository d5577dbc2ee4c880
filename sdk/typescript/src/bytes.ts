/** Bytes and their texts. */

/** Bytes that WebCrypto and `fetch` take. */
export type Bytes = Uint8Array<ArrayBuffer>;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** As base64, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** From base64; the padding may be missing, and nothing else may stand in it. Undefined where it is none. */
export function decodeBase64(text: string): Bytes | undefined {
  const core = text.replace(/=+$/, "");
  const padding = text.length - core.length;
  if (!BASE64.test(text) || core.length % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  const decoded = atob(core + "=".repeat((4 - (core.length % 4)) % 4));
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

/** As base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Text of Latin-1 as bytes. */
export function latin1(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Text as UTF-8. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes;
}

/** One after the other. */
export function concatenated(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether both are the same, in a time that depends on the lengths only. */
export function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  let different = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) different |= (one[at] ?? 0) ^ (other[at] ?? 0);
  return different === 0;
}
