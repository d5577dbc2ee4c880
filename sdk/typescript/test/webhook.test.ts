/** Webhooks in: `spec/vectors/webhooks.json`, the published library as a judge, and what must be taken only once. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Webhook as Published } from "standardwebhooks";
import { type Bytes, decodeBase64, utf8 } from "../src/bytes.js";
import { MemoryOfIds, type ReceiverOptions, WebhookError, WebhookReceiver } from "../src/index.js";
import { repository } from "./served.js";

interface Row {
  name: string;
  secrets: string[];
  headers: [string, string][];
  content: string;
  now: number;
  outcome: string;
}
const { webhooks } = JSON.parse(readFileSync(`${repository}/spec/vectors/webhooks.json`, "utf8")) as {
  webhooks: Row[];
};
const row = webhooks[0] as Row;
const content = bytes(row.content);

function bytes(text: string): Bytes {
  return decodeBase64(text) ?? new Uint8Array();
}

function receiver(options: ReceiverOptions = {}): Promise<WebhookReceiver> {
  return WebhookReceiver.of(row.secrets, options);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof WebhookError) return error.code;
    throw error;
  }
}

for (const each of webhooks) {
  test(`webhook: ${each.name}`, async () => {
    const judged = async () => {
      const found = await (await WebhookReceiver.of(each.secrets)).verify(each.headers, bytes(each.content), each.now);
      assert.deepEqual(found.content, bytes(each.content));
    };
    assert.equal(await codeOf(judged()), each.outcome);
  });
}

test("what the published library signs is taken, from headers of each kind", async () => {
  const signature = new Published(row.secrets[0] ?? "").sign("msg_7", new Date(row.now * 1_000), '{"a":1}');
  const headers = { "webhook-id": "msg_7", "webhook-timestamp": String(row.now), "webhook-signature": signature };
  for (const given of [headers, new Headers(headers), Object.entries(headers)]) {
    const found = await (await receiver()).verify(given, utf8('{"a":1}'), row.now);
    assert.equal(found.id, "msg_7");
  }
});

test("each is acted on once", async () => {
  const into = await receiver();
  const take = (now: number) => codeOf(into.receive(row.headers, content, () => undefined, now));
  assert.equal(await take(row.now), "ok");
  assert.equal(await take(row.now), "webhook.id_must_be_new");
  assert.equal(await take(row.now + 299), "webhook.id_must_be_new");
  assert.equal(await take(row.now + 301), "webhook.must_be_fresh");
});

test("of many at once one acts", async () => {
  const into = await receiver();
  let acted = 0;
  const act = async () => {
    acted += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const codes = Array.from({ length: 50 }, () => codeOf(into.receive(row.headers, content, act, row.now)));
  assert.equal((await Promise.all(codes)).filter((code) => code === "ok").length, 1);
  assert.equal(acted, 1);
});

test("while one acts another is told to come back, and after a failure it may act", async () => {
  const into = await receiver();
  const failing = into.receive(
    row.headers,
    content,
    async () => {
      const second = codeOf(into.receive(row.headers, content, () => undefined, row.now));
      assert.equal(await second, "webhook.id_must_not_be_in_use");
      throw new RangeError("it failed");
    },
    row.now,
  );
  await assert.rejects(failing, RangeError);
  assert.equal(await into.receive(row.headers, content, (webhook) => webhook.id, row.now), "msg_1");
});

test("the memory is bounded and forgets nothing that could be replayed", () => {
  const memory = new MemoryOfIds(3);
  for (const [at, id] of ["a", "b", "c"].entries()) {
    assert.equal(memory.begin(id, row.now + at), "new");
    memory.finish(id);
  }
  assert.throws(() => memory.begin("d", row.now + 600), { code: "webhook.memory_must_have_room" });
  assert.equal(memory.begin("d", row.now + 601), "new");
  assert.equal(memory.begin("b", row.now + 601), "done");
  assert.equal(memory.begin("b", row.now + 302_402), "new");
});
