/** `spec/vectors/http-signature-profile.json`: every row has its outcome. Its makers share no code with this package. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Bytes, decodeBase64 } from "../src/bytes.js";
import { SignatureError, UnreadableMessage } from "../src/errors.js";
import * as sig from "../src/signature/index.js";
import { repository } from "./served.js";

interface Key {
  algorithm: string;
  public?: string;
  private?: string;
  secret?: string;
}
interface Asked {
  name: string;
  method: string;
  scheme: string;
  authority: string;
  path: string;
  query: string | null;
  headers: [string, string][];
}
interface RequestRow extends Asked {
  content: string;
  content_seen: boolean;
  key: string;
  now: number;
  outcome: string;
  nonce?: string;
}
interface ResponseRow {
  name: string;
  request: Asked;
  status: number;
  headers: [string, string][];
  content: string;
  key: string;
  outcome: string;
  server_time?: number | null;
}
const VECTORS = JSON.parse(readFileSync(`${repository}/spec/vectors/http-signature-profile.json`, "utf8")) as {
  profile: { tag: string; window_seconds: number; skew_seconds: number; covered_when_present: string[] };
  keys: Record<string, Key>;
  requests: RequestRow[];
  responses: ResponseRow[];
};

function bytes(text: string | undefined): Bytes {
  const found = decodeBase64(text ?? "");
  assert.ok(found);
  return found;
}

function keyOf(name: string): Promise<sig.VerifyingKey> {
  const key = VECTORS.keys[name];
  assert.ok(key);
  if (key.algorithm === "ed25519") return sig.VerifyingKey.ed25519(bytes(key.public));
  if (key.algorithm === "hmac-sha256") return sig.VerifyingKey.hmacSha256(bytes(key.secret));
  return sig.VerifyingKey.ecdsaP256(bytes(key.public));
}

function signingKeyOf(name: string): Promise<sig.SigningKey> {
  const key = VECTORS.keys[name];
  assert.ok(key);
  if (key.algorithm === "ed25519") return sig.SigningKey.ed25519(bytes(key.private));
  if (key.algorithm === "hmac-sha256") return sig.SigningKey.hmacSha256(bytes(key.secret));
  return sig.SigningKey.ecdsaP256(bytes(key.private), bytes(key.public));
}

function requestOf(row: Asked): sig.Request {
  const { method, scheme, authority, path, query } = row;
  return { target: { method, scheme, authority, path, query }, fields: new sig.Fields(row.headers) };
}

async function outcome(judge: () => Promise<void>): Promise<string> {
  try {
    await judge();
    return "ok";
  } catch (error) {
    if (error instanceof UnreadableMessage) return "unreadable";
    if (error instanceof SignatureError) return error.code;
    throw error;
  }
}

for (const row of VECTORS.requests) {
  test(`request: ${row.name}`, async () => {
    const found = await outcome(async () => {
      const signed = await sig.SignedRequest.read(requestOf(row));
      await signed.mustBeFresh(row.now);
      const content = row.content_seen ? bytes(row.content) : undefined;
      const nonce = await signed.verify(await keyOf(row.key), content);
      assert.equal(Buffer.from(nonce).toString("hex"), row.nonce);
    });
    assert.equal(found, row.outcome);
  });
}

for (const row of VECTORS.responses) {
  test(`response: ${row.name}`, async () => {
    const found = await outcome(async () => {
      const fields = new sig.Fields(row.headers);
      const signed = await sig.SignedResponse.read({ status: row.status, fields, request: requestOf(row.request) });
      assert.equal(await signed.verify(await keyOf(row.key), bytes(row.content)), row.server_time);
    });
    assert.equal(found, row.outcome);
  });
}

test("the vectors are all there", () => {
  assert.ok(VECTORS.requests.length >= 150 && VECTORS.responses.length >= 25);
});

test("the profile of the file is the default of the package", () => {
  const { profile } = VECTORS;
  assert.deepEqual(sig.DEFAULT_PROFILE, {
    tag: profile.tag,
    windowSeconds: profile.window_seconds,
    skewSeconds: profile.skew_seconds,
    coveredWhenPresent: profile.covered_when_present,
  });
});

for (const name of ["client.ed25519", "client.hmac", "client.p256"]) {
  test(`what ${name} signs here is what the vectors accept`, async () => {
    const row = VECTORS.requests.find((each) => each.name === "an order");
    assert.ok(row);
    const { target, fields } = requestOf(row);
    const request = { target, fields: fields.without("signature", "signature-input", "content-digest") };
    const nonce = Uint8Array.from({ length: 24 }, (_, at) => at);
    const parameters = { keyId: name, created: row.now, expires: row.now + 30, nonce };
    await sig.signRequest(request, await signingKeyOf(name), parameters, bytes(row.content));
    const signed = await sig.SignedRequest.read(request);
    await signed.mustBeFresh(row.now);
    assert.deepEqual(await signed.verify(await keyOf(name), bytes(row.content)), nonce);
    assert.deepEqual(request.fields.lines("content-digest"), fields.lines("content-digest"));
  });
}
