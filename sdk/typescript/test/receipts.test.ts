/** Receipts: every row of `spec/vectors/receipts`, what a verified one says, and every flipped bit of a valid one. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeBase64, encodeBase64, utf8 } from "../src/bytes.js";
import { ReceiptError, verifyReceipt } from "../src/index.js";
import { SigningKey } from "../src/signature/index.js";
import { repository } from "./served.js";

interface Row {
  name: string;
  vkey: string;
  receipt: string;
  outcome: string;
}
interface Leaf {
  stream: string;
  seq: number;
  recorded_at: string;
  kind: string;
  written: string;
  content: Record<"at" | "actor" | "body", string>;
  root_so_far: string;
}
type Values = Record<string, unknown>;

function vectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(`${repository}/spec/vectors/receipts/${name}.json`, "utf8")) as T[];
}
const rows = vectors<Row>("receipts");
const leaves = vectors<Leaf>("leaves");
const form = "audit.receipt_must_be_well_formed";
const otherRoot = "audit.proof_must_lead_to_root";

function named(name: string): Row {
  const row = rows.find((each) => each.name === name);
  assert.ok(row, name);
  return row;
}
const open = named("leaf 2 of 7");
const withheld = named("a content that is withheld, or was erased");

async function outcome(receipt: string | Uint8Array, vkey = open.vkey): Promise<string> {
  try {
    await verifyReceipt(receipt, vkey);
    return "ok";
  } catch (error) {
    if (error instanceof ReceiptError) return error.code;
    throw error;
  }
}

for (const row of rows) {
  test(`receipt: ${row.name}`, async () => {
    assert.equal(await outcome(row.receipt, row.vkey), row.outcome);
    assert.equal(await outcome(utf8(row.receipt), row.vkey), row.outcome);
  });
}

test("a verified receipt says what was logged", async () => {
  assert.equal(leaves.length, 7);
  for (const [index, leaf] of leaves.entries()) {
    const row = named(`leaf ${index} of 7`);
    const { stream, seq, kind, recorded_at: recordedAt, written } = leaf;
    const { at, actor, body } = leaf.content;
    const root = decodeBase64(leaves.at(-1)?.root_so_far ?? "");
    const checkpoint = { origin: "fund.example/log", size: 7n, root };
    const wanted = { stream, seq, kind, recordedAt, written, at, actor, body, leafIndex: index, checkpoint };
    assert.deepEqual(await verifyReceipt(row.receipt, row.vkey), wanted);
  }
});

test("a withheld content is not shown", async () => {
  const { at, actor, body } = await verifyReceipt(withheld.receipt, withheld.vkey);
  assert.deepEqual([at, actor, body], [undefined, undefined, undefined]);
});

for (const row of [open, withheld, named("leaf 4 of 7")]) {
  test(`no bit can be flipped: ${row.name}`, async () => {
    const text = utf8(row.receipt);
    assert.equal(await outcome(text), "ok");
    for (let place = 0; place < 8 * text.length; place += 1) {
      const flipped = text.slice();
      flipped[place >> 3] = (text[place >> 3] ?? 0) ^ (1 << (place & 7));
      assert.notEqual(await outcome(flipped), "ok", `bit ${place}`);
    }
  });
}

/** Each byte of a value changed in its last bit: still a value of its form. */
function flips(text: string, isBase64: boolean): string[] {
  const bytes = isBase64 ? decodeBase64(text) : utf8(text);
  assert.ok(bytes !== undefined && bytes.length >= 6);
  return Array.from(bytes, (byte, place) => {
    const flipped = bytes.slice();
    flipped[place] = byte ^ 1;
    return isBase64 ? encodeBase64(flipped) : new TextDecoder().decode(flipped);
  });
}

test("another byte in a well-formed value leads to another root", async () => {
  const fields = ["stream", "recorded_at", "kind", "content.at", "content.actor", "content.body"];
  const hashes = ["content.salt", "inclusion_proof.0", "inclusion_proof.1", "inclusion_proof.2"];
  for (const path of [...fields, ...hashes]) {
    const receipt = JSON.parse(open.receipt) as Values;
    const [first = "", second] = path.split(".");
    const inner = (second === undefined ? receipt : receipt[first]) as Values;
    const last = second ?? first;
    for (const value of flips(String(inner[last]), hashes.includes(path))) {
      inner[last] = value;
      assert.equal(await outcome(JSON.stringify(receipt)), otherRoot, `${path}: ${value}`);
    }
  }
});

test("another number leads to another root", async () => {
  const receipt = JSON.parse(open.receipt) as Values;
  for (let bit = 0n; bit < 53n; bit += 1n) {
    const seq = Number(BigInt(Number(receipt.seq)) ^ (1n << bit));
    assert.equal(await outcome(JSON.stringify({ ...receipt, seq })), otherRoot);
  }
  for (const index of [0, 1, 3, 4, 5]) {
    assert.equal(await outcome(JSON.stringify({ ...receipt, leaf_index: index })), otherRoot);
  }
});

test("what a lenient reader would take is refused", async () => {
  const text = open.receipt;
  assert.ok(text.includes('"seq":1,'));
  const seqs = ["1.0", "1e0", "01", "-0", "true", "null", "NaN", "1".repeat(5_000), "[".repeat(100_000), "{}", '"1"'];
  const wrong = [
    ...seqs.map((seq) => text.replace('"seq":1,', `"seq":${seq},`)),
    text.replace('"seq":1,', '"seq":1,"seq":1,'),
    text.replace('"seq":1,', '"seq":1,"s\\u0065q":1,'),
    text.replace('"actor":', '"actor":"x","actor":'),
    text.replace('"seq":1,', '"seq":1,"__proto__":{},'),
    text.replace('"seq":1,', '"seq":1,,'),
    `\ufeff${text}`,
    `${text.slice(0, -1)},}`,
    text.replace('"recorded_at":"', `"recorded_at":"${"1".repeat(977)}`),
    text.replace(/\\n"}$/, '\\nx"}'),
    text + " ".repeat(2 ** 24),
  ];
  for (const each of wrong) assert.equal(await outcome(each), form, each.slice(0, 200));
  assert.equal(await outcome(Uint8Array.of(0xff, ...utf8(text))), form);
  assert.equal(await outcome(Uint8Array.of(0xef, 0xbb, 0xbf, ...utf8(text))), form);
});

test("a key that is none is refused", async () => {
  const { vkey } = open;
  const wrong = ["", "fund.example/log", vkey.slice(0, -1), `${vkey}\n`, vkey.replace("+3657", "+4657"), "a+b+c+d"];
  for (const each of [...wrong, `\ud800${vkey}`]) {
    assert.equal(await outcome(open.receipt, each), "audit.key_must_be_verifier_key", each);
  }
});

function vkeyOf(kind: number, publicKey: Uint8Array): string {
  const material = Uint8Array.of(kind, ...publicKey);
  const id = createHash("sha256").update("fund.example/log\n").update(material).digest("hex").slice(0, 8);
  return `fund.example/log+${id}+${encodeBase64(material)}`;
}

test("a checkpoint has no empty line, and no size past 64 bits", async () => {
  const receipt = JSON.parse(open.receipt) as Values;
  const [origin, , root] = String(receipt.checkpoint).split("\n");
  const key = await SigningKey.ed25519(new Uint8Array(32));
  const vkey = vkeyOf(1, key.publicKey ?? new Uint8Array());
  const wrong = "audit.checkpoint_must_be_well_formed";
  const cases = [
    [`${origin}\n7\n${root}\n`, "ok"],
    [`${origin}\n7\n${root}\nmore\n`, "ok"],
    [`${origin}\n7\n${root}\n\nmore\n`, wrong],
    [`${origin}\n7\n${root}\n\n`, wrong],
    [`\n7\n${root}\n`, wrong],
    [`${origin}\n${2n ** 64n - 1n}\n${root}\n`, "audit.proof_must_fit_the_tree"],
    [`${origin}\n${2n ** 64n}\n${root}\n`, wrong],
  ] as const;
  for (const [text, wanted] of cases) {
    const id = Buffer.from(vkey.split("+")[1] ?? "", "hex");
    const signature = encodeBase64(Uint8Array.of(...id, ...(await key.sign(utf8(text)))));
    const checkpoint = `${text}\n\u2014 fund.example/log ${signature}\n`;
    assert.equal(await outcome(JSON.stringify({ ...receipt, checkpoint }), vkey), wanted, text);
  }
});

test("a key for which anybody can sign is refused", async () => {
  const weak = [
    "00".repeat(32),
    `${"00".repeat(31)}80`,
    `01${"00".repeat(31)}`,
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(31)}`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  ];
  for (const each of weak) {
    const vkey = vkeyOf(1, Buffer.from(each, "hex"));
    assert.equal(await outcome(open.receipt, vkey), "audit.key_must_be_strong", each);
  }
});

test("a key of a witness is none of a log", async () => {
  const publicKey = (decodeBase64(open.vkey.split("+").slice(2).join("+")) ?? new Uint8Array()).slice(1);
  assert.equal(vkeyOf(1, publicKey), open.vkey);
  assert.equal(await outcome(open.receipt, vkeyOf(4, publicKey)), "audit.key_must_be_of_kind");
});
