/** Nonces: text on the wire, bytes everywhere else. Two texts of the same bytes are one nonce. */

import { type Bytes, decodeBase64, encodeBase64Url } from "../bytes.js";
import { Broken, NONCE_BYTES_MAX, NONCE_BYTES_MIN } from "./rules.js";

const TEXT_CHARACTERS_MAX = 88;

function wrongLength(): Broken {
  return new Broken("nonce_must_have_16_to_64_bytes", "the nonce must have 16 to 64 bytes");
}

/** The nonce, if it has 16 to 64 bytes. */
export function checkLength(nonce: Bytes): Bytes {
  if (nonce.length < NONCE_BYTES_MIN || nonce.length > NONCE_BYTES_MAX) throw wrongLength();
  return nonce;
}

/** From base64url or base64, with or without padding; mixed alphabets, spaces and bits for nothing are refused. */
export function decodeNonce(text: string): Bytes {
  if (text.length > TEXT_CHARACTERS_MAX) throw wrongLength();
  const isUrlSafe = /[-_]/.test(text);
  const standard = isUrlSafe && !/[+/]/.test(text) ? text.replaceAll("-", "+").replaceAll("_", "/") : text;
  const nonce = decodeBase64(standard);
  const core = standard.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  if (nonce === undefined || encodeBase64Url(nonce) !== core) {
    throw new Broken("nonce_must_be_base64", "the nonce must be base64url or base64 text");
  }
  return checkLength(nonce);
}
