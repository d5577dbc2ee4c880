/** Keys that sign and keys that verify, by WebCrypto. A secret that was imported cannot be read from them again. */

import { areEqual, type Bytes, encodeBase64Url } from "../bytes.js";
import { StrongroomError } from "../errors.js";

const HMAC_BYTES_MIN = 32;
/** What stands before the 32 bytes of a seed in PKCS#8 (RFC 8410 section 7). */
const ED25519_PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HMAC = { name: "HMAC", hash: "SHA-256" };

async function imported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch {
    throw new StrongroomError("key.material_must_fit_algorithm", "the key cannot be used with its algorithm");
  }
}

function mustHave(bytes: Uint8Array, isRight: boolean, wanted: string): void {
  if (isRight) return;
  throw new StrongroomError("key.material_must_fit_algorithm", `${wanted} is wanted, and ${bytes.length} came`);
}

/** Signs by one algorithm. */
export class SigningKey {
  private constructor(
    readonly algorithm: string,
    private readonly key: CryptoKey,
    /** The public half, raw; undefined for hmac-sha256 and ecdsa-p256-sha256. */
    readonly publicKey: Bytes | undefined,
  ) {}

  /** The signature, raw: 64 bytes, or 32 for hmac-sha256. */
  async sign(text: Bytes): Promise<Bytes> {
    const by = this.algorithm === "ecdsa-p256-sha256" ? P256 : this.key.algorithm.name;
    return new Uint8Array(await crypto.subtle.sign(by, this.key, text));
  }

  /** From the 32 bytes of a seed. */
  static async ed25519(seed: Uint8Array): Promise<SigningKey> {
    mustHave(seed, seed.length === 32, "a seed of 32 bytes");
    const pkcs8 = Uint8Array.from([...ED25519_PKCS8, ...seed]);
    const key = await imported(crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]));
    const { x = "" } = await crypto.subtle.exportKey("jwk", key);
    const sealed = await imported(crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]));
    const publicKey = Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return new SigningKey("ed25519", sealed, publicKey);
  }

  /** From the 32 bytes of a private scalar and its public point, uncompressed. */
  static async ecdsaP256(scalar: Uint8Array, point: Uint8Array): Promise<SigningKey> {
    mustHave(point, point.length === 65, "an uncompressed point of 65 bytes");
    const [d, x, y] = [scalar, point.slice(1, 33), point.slice(33)].map(encodeBase64Url) as [string, string, string];
    const jwk = { kty: "EC", crv: "P-256", d, x, y };
    const key = await imported(crypto.subtle.importKey("jwk", jwk, P256, false, ["sign"]));
    return new SigningKey("ecdsa-p256-sha256", key, undefined);
  }

  /** From a secret of at least 32 bytes. */
  static async hmacSha256(secret: Bytes): Promise<SigningKey> {
    mustHave(secret, secret.length >= HMAC_BYTES_MIN, `a secret of at least ${HMAC_BYTES_MIN} bytes`);
    const key = await imported(crypto.subtle.importKey("raw", secret, HMAC, false, ["sign"]));
    return new SigningKey("hmac-sha256", key, undefined);
  }
}

/** Verifies by one algorithm. */
export class VerifyingKey {
  private constructor(
    readonly algorithm: string,
    private readonly verify: (text: Bytes, signature: Bytes) => Promise<boolean>,
  ) {}

  /** Whether the signature is one of this text. */
  async isSigned(text: Bytes, signature: Bytes): Promise<boolean> {
    return await this.verify(text, signature);
  }

  /** From the 32 bytes of the public half. */
  static async ed25519(publicKey: Bytes): Promise<VerifyingKey> {
    mustHave(publicKey, publicKey.length === 32, "a public key of 32 bytes");
    const key = await imported(crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]));
    return new VerifyingKey("ed25519", (text, signature) => crypto.subtle.verify("Ed25519", key, signature, text));
  }

  /** From the public point, uncompressed. */
  static async ecdsaP256(point: Bytes): Promise<VerifyingKey> {
    const key = await imported(crypto.subtle.importKey("raw", point, P256, false, ["verify"]));
    return new VerifyingKey("ecdsa-p256-sha256", async (text, signature) => {
      return signature.length === 64 && (await crypto.subtle.verify(P256, key, signature, text));
    });
  }

  /** From the secret of at least 32 bytes. */
  static async hmacSha256(secret: Bytes): Promise<VerifyingKey> {
    const signing = await SigningKey.hmacSha256(secret);
    return new VerifyingKey("hmac-sha256", async (text, mac) => areEqual(await signing.sign(text), mac));
  }
}
