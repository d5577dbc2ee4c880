/** Signed requests: made by `signRequest`, judged by `SignedRequest` (sections 1.1 to 1.5 of the profile). */

import { type Bytes, encodeBase64, encodeBase64Url } from "../bytes.js";
import { plain, signatureBase, unknownComponent } from "./component.js";
import { contentDigest, coveredDigests, type Digests, declared, mayPassUnseen, mustMatch } from "./content.js";
import { algorithmMustBeTheKeys, type Input, readInputs, tagged } from "./input.js";
import type { SigningKey, VerifyingKey } from "./keys.js";
import type { Message, Request } from "./message.js";
import { checkLength, decodeNonce } from "./nonce.js";
import { as, Broken, DEFAULT_PROFILE, LABEL, LABELS_MAX, LIFETIME_SECONDS_MAX, outOfBounds } from "./rules.js";
import { serializeString } from "./structured.js";

/** What signing adds, and what is removed before a request is signed anew; names in lower case. */
export const SIGNED_FIELDS = ["signature-input", "signature", "content-digest"];

function checkLifetime(created: number, expires: number): void {
  if (expires - created >= 1 && expires - created <= LIFETIME_SECONDS_MAX) return;
  const text = `a signature must expire 1 to 60 seconds after ${created}; this one expires at ${expires}`;
  throw new Broken("lifetime_must_be_at_most_60_seconds", text);
}

/** What a client says when it signs. Times are seconds since 1970, 1 to 60 apart; the nonce has 16 to 64 bytes. */
export interface SigningParameters {
  readonly keyId: string;
  readonly created: number;
  readonly expires: number;
  readonly nonce: Bytes;
}

/** Signs a request: adds `Content-Digest` where there is content, and both fields of the signature. */
export async function signRequest(
  request: Request,
  key: SigningKey,
  parameters: SigningParameters,
  content: Bytes = new Uint8Array(),
  profile = DEFAULT_PROFILE,
): Promise<void> {
  await as("request", async () => {
    const { fields } = request;
    const { created, expires, nonce, keyId } = parameters;
    checkLifetime(created, expires);
    checkLength(nonce);
    const label = freeLabel(request, profile.tag);
    if (content.length > 0 && !fields.has("content-digest"))
      fields.append("content-digest", await contentDigest(content));
    const names = [...profile.coveredWhenPresent, "content-digest"].filter((name) => fields.has(name));
    const components = ["@method", "@authority", "@path", "@query", ...names].map((name) => plain(name));
    const texts = { keyid: keyId, alg: key.algorithm, nonce: encodeBase64Url(nonce), tag: profile.tag };
    let input = `(${components.map((component) => component.text).join(" ")});created=${created};expires=${expires}`;
    for (const [name, text] of Object.entries(texts)) {
      const quoted = serializeString(text);
      if (quoted === undefined) throw new Broken("must_be_signable", "parameters must be printable ASCII");
      input += `;${name}=${quoted}`;
    }
    const signature = await key.sign(signatureBase(request, components, input));
    fields.append("signature-input", `${label}=${input}`);
    fields.append("signature", `${label}=:${encodeBase64(signature)}:`);
  });
}

function freeLabel(request: Request, tag: string): string {
  const inputs = readInputs(request.fields);
  if (inputs.some((other) => other.maybe("tag") === tag)) {
    throw new Broken("must_have_one_signature", `the tag ${tag} is taken`);
  }
  if (inputs.length >= LABELS_MAX) throw outOfBounds(`a message has at most ${LABELS_MAX} labels`);
  const labels = [LABEL, ...[2, 3, 4].map((number) => `${LABEL}${number}`)];
  return labels.find((label) => inputs.every((other) => other.label !== label)) ?? LABEL;
}

/** A request whose signature has been read, and nothing more. `verify` judges it. */
export class SignedRequest {
  private constructor(
    readonly keyId: string,
    readonly algorithm: string,
    readonly created: number,
    readonly expires: number,
    readonly nonce: Bytes,
    private readonly request: Request,
    private readonly input: Input,
    private readonly signature: Bytes,
    private readonly hasContent: boolean | undefined,
    private readonly digests: Digests | undefined,
  ) {}

  /** Checks all that needs neither key nor time. Throws SignatureError. */
  static async read(request: Request, profile = DEFAULT_PROFILE): Promise<SignedRequest> {
    return await as("request", () => {
      const { fields } = request;
      const { input, signature } = tagged(fields, profile.tag);
      const [created, expires] = [input.integer("created"), input.integer("expires")];
      checkLifetime(created, expires);
      const nonce = decodeNonce(input.string("nonce"));
      const [keyId, algorithm] = [input.keyId(), input.algorithm()];
      for (const component of input.components) {
        const isForeign = component.req || component.form === "unknown" || component.name === "@status";
        if (isForeign) throw unknownComponent(component);
      }
      input.mustCoverTarget(false);
      input.mustCoverPresent(fields, profile.coveredWhenPresent);
      const hasContent = declared(fields);
      const digests = coveredDigests(fields, input.covers(plain("content-digest")), hasContent);
      return new SignedRequest(
        keyId,
        algorithm,
        created,
        expires,
        nonce,
        request,
        input,
        signature,
        hasContent,
        digests,
      );
    });
  }

  /** Compares the signature's times with the judge's, in seconds since 1970. Throws SignatureError. */
  async mustBeFresh(now: number, profile = DEFAULT_PROFILE): Promise<void> {
    await as("request", () => {
      const { skewSeconds, windowSeconds } = profile;
      if (this.created > now + skewSeconds) {
        throw new Broken("must_not_be_from_the_future", `it was made at ${this.created}, and now is ${now}`);
      }
      const until = Math.min(this.expires, this.created + windowSeconds) + skewSeconds;
      if (now > until) throw new Broken("must_be_fresh", `it was good until ${until}, and now is ${now}`);
    });
  }

  /** Judges signature and content, and gives the nonce, which must be new. Undefined content is not seen. */
  async verify(key: VerifyingKey, content: Bytes | undefined): Promise<Bytes> {
    return await as("request", async () => {
      await mustBeSignedBy(key, this.algorithm, this.request, this.input, this.signature);
      if (content === undefined) await mayPassUnseen(this.hasContent, this.request.target.method, this.digests);
      else await mustMatch(this.digests, content);
      return this.nonce;
    });
  }
}

/** The signature must be one of the message by this key. */
export async function mustBeSignedBy(
  key: VerifyingKey,
  algorithm: string,
  message: Message,
  input: Input,
  signature: Bytes,
): Promise<void> {
  if (algorithm !== key.algorithm) throw algorithmMustBeTheKeys(algorithm);
  if (await key.isSigned(signatureBase(message, input.components, input.text), signature)) return;
  throw new Broken("signature_must_be_valid", "the signature must be valid for this message and key");
}
