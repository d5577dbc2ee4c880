/** Against a real server: enrol, ask, order, heal, survive a restart, with many requests at once. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Client, clientKeyOf, enrol, importSecret, type KeyFile, Refused, TransportError } from "../src/index.js";
import { readKeyFile, writeKeyFile } from "../src/node.js";
import { Between, nonceOf, repository, Served } from "./served.js";

let served: Served;
let keys: KeyFile;

before(async () => {
  served = await Served.begin();
  keys = await enrol(served.url, await served.code());
});
after(() => served.end());

const order = (id: string) => ({ json: { id, side: "creation", baskets: 1 } });

test("a key is enrolled, used, and read by the command line", async () => {
  const path = join(served.folder, "ap.key");
  await writeKeyFile(path, keys);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readKeyFile(path), keys);
  const answer = await (await Client.of(keys)).get("/v1/whoami");
  assert.deepEqual([answer.isSigned, answer.tries, answer.status], [true, 1, 200]);
  assert.equal(answer.success<{ principal: string }>().principal, "ap-one");
  assert.match(await served.run(["http", "GET", "/v1/whoami"], path), /"principal":"ap-one"/);
});

test("a key file of the command line is read", async () => {
  const operator = await Client.of(await readKeyFile(join(served.folder, "operator.key")));
  const { items } = (await operator.get("/v1/principals?limit=5")).success<{ items: { id: string }[] }>();
  assert.ok(items.some((row) => row.id === "ap-one"));
});

test("a code is good once", async () => {
  const code = await served.code();
  await enrol(served.url, code);
  await assert.rejects(enrol(served.url, code), { code: "enrolment.must_be_open" });
});

test("a secret of the server signs too", async () => {
  const { key = "", secret = "" } = await served.issue("--algorithm", "hmac-sha256");
  const client = await Client.of(await importSecret(served.url, key, secret));
  (await client.post("/v1/funds/BTCX/orders", order("hmac-1"))).success();
  assert.equal((await client.get("/v1/funds/BTCX/orders/hmac-1")).success<{ side: string }>().side, "creation");
  (await client.delete("/v1/funds/BTCX/orders/hmac-1")).success();
});

test("a refusal has its code", async () => {
  const answer = await (await Client.of(keys)).get("/v1/funds/NONE");
  assert.deepEqual([answer.isSigned, answer.status], [true, 404]);
  assert.throws(
    () => answer.success(),
    (error: unknown) => error instanceof Refused && error.code === answer.code,
  );
});

test("paths and queries are signed as they are sent", async () => {
  const client = await Client.of(keys);
  const targets = ["/v1/funds?limit=1", "/v1/funds?", "/v1/funds/a%2fb%2Fc", "/v1/funds?after=a b", "/v1//x", "/v1/ä"];
  for (const target of targets) {
    const answer = await client.get(target);
    assert.ok(answer.isSigned && !answer.code?.startsWith("request.signature"), `${target} ${answer.code}`);
  }
});

for (const ahead of [-86_400, -38, 7, 86_400]) {
  test(`a clock that is wrong by ${ahead} seconds heals once`, async () => {
    const client = await Client.of(keys);
    client.assumeClock(ahead);
    assert.equal((await client.get("/v1/whoami")).tries, 2);
    assert.equal((await client.get("/v1/whoami")).tries, 1);
  });
}

test("a restart is answered with a challenge, and nothing fails", async () => {
  const forgetful = await Served.begin(true);
  const client = await Client.of(await enrol(forgetful.url, await forgetful.code()));
  (await client.get("/v1/whoami")).success();
  await forgetful.kill();
  const waiting = client.post("/v1/funds/BTCX/orders", order("restart-1"));
  await forgetful.start();
  const answer = await waiting;
  assert.equal(answer.success<{ id: string }>().id, "restart-1");
  assert.ok(answer.tries >= 3, "the server was away, then it challenged");
  assert.deepEqual(await forgetful.orders(), ["restart-1"]);
  await forgetful.end();
});

test("a lost answer is asked for again under one key, and there is one effect", async () => {
  const between = new Between((came, count) => {
    if (count === 1) throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNRESET" }) });
    return came;
  });
  const client = await Client.of(keys, { fetch: between.fetch });
  const answer = await client.post("/v1/funds/BTCX/orders", order("lost-1"));
  const [first, second] = between.headers as [Headers, Headers];
  assert.deepEqual([answer.success<{ id: string }>().id, answer.tries], ["lost-1", 2]);
  assert.equal(answer.headers.get("idempotency-replayed"), "true");
  assert.equal(first.get("idempotency-key"), second.get("idempotency-key"));
  assert.notEqual(nonceOf(first), nonceOf(second));
  assert.equal((await served.orders()).filter((id) => id === "lost-1").length, 1);
});

test("who wants no retries is told that nobody knows", async () => {
  const between = new Between(() => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNRESET" }) });
  });
  const client = await Client.of(keys, { fetch: between.fetch, retrySeconds: 0 });
  const lost = client.post("/v1/funds/BTCX/orders", order("never-1"));
  await assert.rejects(lost, (error: unknown) => error instanceof TransportError && error.wasSent);
  assert.equal(between.headers.length, 1);
});

test("of many requests at once none shares a nonce, and each gets its own answer", async () => {
  const between = new Between((came) => came);
  const client = await Client.of(keys, { fetch: between.fetch });
  client.assumeClock(-3_600);
  const names = Array.from({ length: 60 }, (_, at) => `task-${at}`);
  const answers = await Promise.all(names.map((name) => client.post("/v1/funds/BTCX/orders", order(name))));
  assert.deepEqual(
    answers.map((answer) => answer.success<{ id: string }>().id),
    names,
  );
  assert.ok(answers.every((answer) => answer.isSigned));
  assert.equal(new Set(between.headers.map(nonceOf)).size, between.headers.length);
});

test("a key is swapped under load without a failed request", async () => {
  const [old, following] = [await enrol(served.url, await served.code()), await enrol(served.url, await served.code())];
  const client = await Client.of(old);
  client.ring.stage(await clientKeyOf(following));
  const asked = Array.from({ length: 50 }, () => client.get("/v1/whoami"));
  client.ring.promote();
  await served.run(["key", "revoke", old.key.replace(/\.\d+$/, ""), "--reason", "a test"]);
  asked.push(...Array.from({ length: 50 }, () => client.get("/v1/whoami")));
  assert.ok((await Promise.all(asked)).every((answer) => answer.status === 200));
});

test("a refusal of the old key is healed by the new one", async () => {
  const [old, following] = [await enrol(served.url, await served.code()), await enrol(served.url, await served.code())];
  let count = 0;
  const swapping: typeof fetch = async (input, init) => {
    count += 1;
    if (count === 1) {
      await served.run(["key", "revoke", old.key.replace(/\.\d+$/, ""), "--reason", "a test"]);
      client.ring.promote();
    }
    return await fetch(input, init);
  };
  const client = await Client.of(old, { fetch: swapping });
  client.ring.stage(await clientKeyOf(following));
  const answer = await client.post("/v1/funds/BTCX/orders", order("swapped-1"));
  assert.deepEqual([answer.success<{ id: string }>().id, answer.tries], ["swapped-1", 2]);
});

test("the server rotates its key and is still believed", async () => {
  const client = await Client.of(keys);
  const operator = await Client.of(await readKeyFile(join(served.folder, "operator.key")));
  (await client.get("/v1/whoami")).success();
  (await operator.post("/v1/server-keys/rotate")).success();
  assert.ok((await client.get("/v1/whoami")).isSigned);
  assert.ok((await enrol(served.url, await served.code())).server_keys.length > 1);
});

test("the example of the README runs as it is printed", async () => {
  const text = await readFile(join(repository, "sdk/typescript/README.md"), "utf8");
  const example = text.split("```js\n")[1]?.split("```")[0] ?? "";
  assert.equal(example.split("\n").filter((line) => line.trim() !== "").length, 10, "ten lines");
  // In a folder of this package, so that its name is found as it is when it is installed.
  const folder = await mkdtemp(join(process.cwd(), "example-"));
  await writeFile(join(folder, "example.mjs"), example);
  const env = { STRONGROOM_SERVER: served.url, STRONGROOM_CODE: await served.code() };
  const { stdout } = await promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder, env });
  assert.match(stdout, /AP One creation 200000/);
  assert.equal(JSON.parse(readFileSync(join(folder, "ap-one.key"), "utf8")).algorithm, "ed25519");
});
