/** What stands between client and server, or beside the key file, gets nothing out of it. */

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { encodeBase64, utf8 } from "../src/bytes.js";
import { readDirectory, vouched, vouchText } from "../src/directory.js";
import { maySendAgain } from "../src/healing.js";
import { Client, enrol, type KeyFile, TransportError } from "../src/index.js";
import { keyFileOfSeed } from "../src/keyfile.js";
import { FileStore, readKeyFile, writeKeyFile } from "../src/node.js";
import { SigningKey, VerifyingKey } from "../src/signature/index.js";
import { Between, Served } from "./served.js";

let served: Served;
let keys: KeyFile;

before(async () => {
  served = await Served.begin();
  keys = await enrol(served.url, await served.code());
});
after(() => served.end());

/** Status, fields and content of an answer, to be changed. */
interface Parts {
  status: number;
  headers: Headers;
  content: string;
}

const CHANGES: Record<string, (parts: Parts) => void> = {
  "another status": (parts) => {
    parts.status = 201;
  },
  "another content": (parts) => {
    parts.content = parts.content.replace("ap-one", "ap-two");
  },
  "content cut short": (parts) => {
    parts.content = parts.content.slice(0, -1);
  },
  "another type": ({ headers }) => headers.set("content-type", "text/html"),
  "no signature": ({ headers }) => headers.delete("signature"),
  "the signature twice": ({ headers }) => headers.append("signature", headers.get("signature") ?? ""),
  "the input twice": ({ headers }) => headers.append("signature-input", headers.get("signature-input") ?? ""),
  "a digest beside the digest": ({ headers }) => headers.append("content-digest", "sha-256=:AAAA:"),
  "a place to go to": ({ headers }) => headers.set("location", "/elsewhere"),
  "a coding that was not signed": ({ headers }) => headers.set("content-encoding", "gzip"),
  "a redirect": (parts) => {
    parts.status = 307;
    parts.headers.set("location", "http://127.0.0.1:1/");
  },
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`an answer that was changed is not believed: ${name}`, async () => {
    const between = new Between(async (came) => {
      const parts = { status: came.status, headers: new Headers(came.headers), content: await came.text() };
      change(parts);
      return new Response(parts.content, { status: parts.status, headers: parts.headers });
    });
    const client = await Client.of(keys, { fetch: between.fetch });
    await assert.rejects(client.get("/v1/whoami"), { code: "client.answer_must_be_signed" });
    assert.equal(between.headers.length, 1, "it is not asked again either");
  });
}

test("an answer to another request is not believed", async () => {
  let kept: Response | undefined;
  const between = new Between((came) => {
    const given = kept ?? came;
    kept = given.clone();
    return given;
  });
  const client = await Client.of(keys, { fetch: between.fetch });
  (await client.get("/v1/whoami")).success();
  await assert.rejects(client.get("/v1/whoami"), /response\.must_answer_the_request/);
});

test("a made-up refusal has nothing executed twice", async () => {
  const between = new Between(() => {
    return new Response('{"code":"request.must_be_fresh"}', {
      status: 401,
      headers: { "content-type": "application/json" },
    });
  });
  const client = await Client.of(keys, { fetch: between.fetch, answers: "any" });
  const answer = await client.post("/v1/funds/BTCX/orders", { json: { id: "twice", side: "creation", baskets: 1 } });
  assert.deepEqual([answer.isSigned, answer.code, between.headers.length], [false, "request.must_be_fresh", 1]);
});

test("a genuine refusal of a request that somebody made old on the way is not healed", async () => {
  let count = 0;
  const ageing: typeof fetch = async (input, init) => {
    count += 1;
    const headers = new Headers(init?.headers);
    const aged = (headers.get("signature-input") ?? "").replace(/(created|expires)=(\d+)/g, (_, name, seconds) => {
      return `${name}=${Number(seconds) - 3_600}`;
    });
    headers.set("signature-input", aged);
    return await fetch(input, { ...init, headers });
  };
  const answer = await (await Client.of(keys, { fetch: ageing })).get("/v1/whoami");
  assert.deepEqual([answer.code, answer.tries, count], ["request.must_be_fresh", 1, 1]);
});

test("only a plausible refusal is healed", () => {
  // The rows are those of the Rust client's own test.
  const rows: [string, number, number, boolean][] = [
    ["request.must_be_fresh", 600, 0.02, true],
    ["request.must_be_fresh", 600, 29.999, true],
    ["request.must_be_fresh", 37, 1, true],
    ["request.must_not_be_from_the_future", -600, 0.02, true],
    ["request.must_not_be_from_the_future", -6, 0.02, true],
    ["request.must_answer_a_challenge", 0, 0.02, true],
    ["request.challenge_must_be_answered_in_time", 0, 0.02, true],
    ["request.must_be_fresh", 0, 0.02, false],
    ["request.must_be_fresh", 35, 0.02, false],
    ["request.must_be_fresh", -600, 0.02, false],
    ["request.must_not_be_from_the_future", 0, 0.02, false],
    ["request.must_not_be_from_the_future", -5, 0.02, false],
    ["request.must_not_be_from_the_future", 600, 0.02, false],
    ["request.must_be_fresh", 36, 26, false],
    ["request.must_be_fresh", 36, 0.001, false],
    ["request.must_be_fresh", 60, 24.001, false],
    ["request.nonce_was_used", 600, 0.02, false],
    ["request.signature_must_be_valid", 600, 0.02, false],
    ["", 600, 0.02, false],
  ];
  for (const [code, ahead, tookSeconds, expected] of rows) {
    assert.equal(maySendAgain(code, { created: 1_000, tookSeconds }, 1_000 + ahead), expected, `${code} ${ahead}`);
  }
});

test("a request goes to its own server only", async () => {
  const client = await Client.of(keys);
  const port = new URL(served.url).port;
  const targets = [
    "http://127.0.0.1:1/v1/whoami",
    `${served.url}0/v1/whoami`,
    `${served.url}@example.org/v1/whoami`,
    `http://user@127.0.0.1:${port}/v1/whoami`,
    "v1/whoami",
    "/v1/whoami#part",
  ];
  for (const target of targets) {
    await assert.rejects(client.get(target), { code: "client.url_must_be_valid" }, target);
  }
  for (const name of ["Host", "content-length", "Transfer-Encoding"]) {
    const asked = client.get("/v1/whoami", { headers: { [name]: "other.example" } });
    await assert.rejects(asked, { code: "client.header_must_be_the_callers" });
  }
  const split = client.get("/v1/whoami", { headers: { "X-Note": "a\r\nHost: other.example" } });
  await assert.rejects(split, { code: "client.message_must_be_readable" });
});

test("plaintext stays on this machine", async () => {
  for (const server of ["http://fund.example", "http://10.0.0.1:8080", "http://127.0.0.1.example"]) {
    await assert.rejects(Client.of(keys, { server }), { code: "client.plaintext_must_stay_on_loopback" }, server);
  }
  for (const server of ["ftp://127.0.0.1", "127.0.0.1", "", "https://user@fund.example"]) {
    await assert.rejects(Client.of(keys, { server }), { code: "client.url_must_be_valid" }, server);
  }
});

test("a directory cannot make a key believed", async () => {
  const [old, young, stranger] = (await Promise.all(
    [1, 2, 3].map((each) => SigningKey.ed25519(new Uint8Array(32).fill(each))),
  )) as [SigningKey, SigningKey, SigningKey];
  const serverKey = (key: string, { publicKey }: SigningKey) => {
    return { key, algorithm: "ed25519", public_key: encodeBase64(publicKey ?? new Uint8Array()) };
  };
  const [first, second] = [serverKey("server.1", old), serverKey("server.2", young)];
  const pinned = new Map([["server.1", await VerifyingKey.ed25519(old.publicKey ?? new Uint8Array())]]);
  for (const [signer, isBelieved] of [
    [old, true],
    [stranger, false],
  ] as const) {
    const later = { ...second, vouched: encodeBase64(await signer.sign(utf8(vouchText(second)))) };
    assert.equal((await vouched([first, later], pinned)).has("server.2"), isBelieved);
  }
  assert.ok(!(await vouched([first, second], pinned)).has("server.2"));
  for (const text of ["", "{", "[]", "null", '{"keys":[{}]}', '{"keys":1}', '{"keys":[{"kid":"a","x":1}, null]}']) {
    assert.deepEqual(readDirectory(text), []);
  }
});

test("who cannot look up a new server key is not told that nothing was sent", async () => {
  const hiding: typeof fetch = async (input, init) => {
    if (!String(input).includes("/.well-known")) return await fetch(input, init);
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) });
  };
  const client = await Client.of({ ...keys, server_keys: [] }, { fetch: hiding, retrySeconds: 0 });
  const asked = client.post("/v1/funds/BTCX/orders", { json: { id: "hidden", side: "creation", baskets: 1 } });
  await assert.rejects(asked, (error: unknown) => error instanceof TransportError && error.wasSent);
});

test("a file that others may open is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-"));
  const path = join(folder, "a.key");
  await writeKeyFile(path, keys);
  for (const mode of [0o644, 0o640, 0o602, 0o601]) {
    await chmod(path, mode);
    await assert.rejects(readKeyFile(path), { code: "client.key_file_must_be_private" });
  }
  await assert.rejects(writeKeyFile(path, keys), { code: "client.key_file_must_be_readable" });
});

test("a file is replaced whole or not at all", async () => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-"));
  const path = join(folder, "a.key");
  const following = keyFileOfSeed(keys.server, "k.2", new Uint8Array(32), []);
  const store = new FileStore(path);
  await mkdir(path);
  await assert.rejects(store.save(following), { code: "client.key_file_must_be_readable" });
  assert.deepEqual(await readdir(folder), ["a.key"], "nothing is left behind");
  const other = join(folder, "b.key");
  await writeFile(other, "mine", { mode: 0o644 });
  await new FileStore(other).save(following);
  assert.deepEqual(await new FileStore(other).load(), following);
  assert.equal((await stat(other)).mode & 0o777, 0o600);
});

test("what is no key file is not repeated", async () => {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-"));
  const path = join(folder, "a.key");
  for (const text of [
    "",
    "{",
    "[]",
    "{}",
    "null",
    '{"server":1,"key":"","algorithm":"","secret":"","server_keys":[]}',
  ]) {
    await writeFile(path, text, { mode: 0o600 });
    await assert.rejects(readKeyFile(path), { code: "client.key_file_must_be_readable" });
  }
  await writeFile(path, `{"secret":"${keys.secret}"`);
  const said = await readKeyFile(path).catch((error: Error) => `${error.message} ${error.stack}`);
  assert.ok(!String(said).includes(keys.secret));
  assert.ok((await readFile(path, "utf8")).includes(keys.secret));
});
