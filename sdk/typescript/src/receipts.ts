/** Receipts of the audit log, verified without the server: `spec/receipts.md` says what is in one. */

import { areEqual, type Bytes, concatenated, decodeBase64, encodeBase64, utf8 } from "./bytes.js";
import { ReceiptError } from "./errors.js";
import { isWellFormed, type Json, readJson } from "./json.js";
import { VerifyingKey } from "./signature/index.js";

const RECEIPT_BYTES_MAX = 16 * 2 ** 20;
const NOTE_BYTES_MAX = 2 ** 20;
const NOTE_SIGNATURES_MAX = 100;
const SIGNATURE_BYTES_MAX = 2 ** 14;
const KEY_NAME_BYTES_MAX = 255;
const KEY_ID_BYTES = 4;
const PROOF_HASHES_MAX = 63;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const ED25519 = 0x01;
const SIZE_END = 2n ** 64n;
const MEMBERS = "format stream seq recorded_at kind written leaf_index inclusion_proof checkpoint".split(" ");
const CONTENT_MEMBERS = ["at", "actor", "body", "salt"];
const CHECKPOINT_FORM = "audit.checkpoint_must_be_well_formed";
const FIT = "audit.proof_must_fit_the_tree";

/** What the log said of itself, under its signature: its name, its leaves, the root over them (32 bytes). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Bytes;
}

/** Whether a leaf was made with its event, or afterwards for an event from before there was a log. */
export type Written = "with_event" | "later";

/** An event that is in the log. Times, actor and body are as they were stored; the index counts leaves from 0. */
export interface VerifiedReceipt {
  readonly stream: string;
  readonly seq: number;
  readonly kind: string;
  readonly recordedAt: string;
  readonly written: Written;
  /** The business time; undefined, like actor and body, where the receipt withholds the content. */
  readonly at: string | undefined;
  readonly actor: string | undefined;
  readonly body: string | undefined;
  readonly leafIndex: number;
  readonly checkpoint: Checkpoint;
}

/**
 * The event of a receipt, as its text or its UTF-8, if it is in the log of a verifier key, `name+id+key`, which comes from
 * a trusted place. Cosignatures of witnesses are not judged. Throws ReceiptError: its code says which rule of section 3
 * was broken, or `audit.key_must_be_verifier_key`, `audit.key_must_be_of_kind` or `audit.key_must_be_strong` that the
 * key is none of a log.
 */
export async function verifyReceipt(receipt: string | Uint8Array, vkey: string): Promise<VerifiedReceipt> {
  const key = await logKeyOf(vkey);
  const read = receiptOf(receipt);
  const commitment = await commitmentOf(read.disclosure);
  const leaf = await leafHashOf(read, commitment);
  const checkpoint = checkpointOf(await signedTextOf(read.note, key), key);
  await mustInclude(leaf, read.leafIndex, read.proof, checkpoint);
  const { stream, seq, kind, recordedAt, written, leafIndex } = read;
  const shown = "salt" in read.disclosure ? read.disclosure : undefined;
  const content = { at: shown?.at, actor: shown?.actor, body: shown?.body };
  return { stream, seq, kind, recordedAt, written, ...content, leafIndex, checkpoint };
}

function malformed(text: string): ReceiptError {
  return new ReceiptError("audit.receipt_must_be_well_formed", text);
}

async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concatenated(parts)));
}

/** From base64 exactly as it is written: with padding, and with zeros in the bits that stand for nothing. */
function decoded(text: string, bytesMax: number): Bytes | undefined {
  if (text.length > 4 * Math.ceil(bytesMax / 3)) return undefined;
  const made = decodeBase64(text);
  return made !== undefined && made.length <= bytesMax && encodeBase64(made) === text ? made : undefined;
}

type Disclosure =
  | { readonly at: string; readonly actor: string; readonly body: string; readonly salt: Bytes }
  | { readonly commitment: Bytes };

/** A receipt of the form of section 2, of which nothing was verified. */
interface Receipt {
  readonly stream: string;
  readonly seq: number;
  readonly recordedAt: string;
  readonly kind: string;
  readonly written: Written;
  readonly disclosure: Disclosure;
  readonly leafIndex: number;
  readonly proof: readonly Bytes[];
  readonly note: Note;
}

function receiptOf(receipt: string | Uint8Array): Receipt {
  const members = membersOf(readJson(textOf(receipt)), "a receipt");
  const shown = members.has("commitment") ? "commitment" : "content";
  mustHaveJust(members, [...MEMBERS, shown], "a receipt");
  if (members.get("format") !== "strongroom-receipt/v1") throw malformed("its format is strongroom-receipt/v1");
  const stream = textIn(members, "stream", 200);
  if (stream === "") throw malformed("stream has at least one byte");
  const written = members.get("written");
  if (written !== "with_event" && written !== "later") throw malformed("written is with_event or later");
  return {
    stream,
    seq: integerIn(members, "seq"),
    recordedAt: textIn(members, "recorded_at", 1_000),
    kind: textIn(members, "kind", 1_000),
    written,
    disclosure: shown === "content" ? contentOf(members.get(shown)) : { commitment: hashOf(members.get(shown), shown) },
    leafIndex: integerIn(members, "leaf_index"),
    proof: proofOf(members.get("inclusion_proof")),
    note: noteOf(textIn(members, "checkpoint", NOTE_BYTES_MAX)),
  };
}

function textOf(receipt: string | Uint8Array): string {
  const isTooLong = receipt.length > RECEIPT_BYTES_MAX;
  if (isTooLong || (typeof receipt === "string" && utf8(receipt).length > RECEIPT_BYTES_MAX)) {
    throw malformed("a receipt has at most 16 MiB");
  }
  if (typeof receipt === "string") return receipt;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(receipt);
  } catch {
    throw malformed("it is not UTF-8");
  }
}

type Members = ReadonlyMap<string, Json>;

function membersOf(value: Json | undefined, what: string): Members {
  if (value instanceof Map) return value;
  throw malformed(`${what} is a JSON object`);
}

function mustHaveJust(members: Members, wanted: readonly string[], what: string): void {
  if (members.size === wanted.length && wanted.every((name) => members.has(name))) return;
  throw malformed(`the members of ${what} are ${wanted.join(", ")}`);
}

function textIn(members: Members, name: string, bytesMax = RECEIPT_BYTES_MAX): string {
  const text = members.get(name);
  if (typeof text === "string" && utf8(text).length <= bytesMax) return text;
  throw malformed(`${name} is a string of at most ${bytesMax} bytes`);
}

function integerIn(members: Members, name: string): number {
  const value = members.get(name);
  if (typeof value === "number") return value;
  throw malformed(`${name} is an integer`);
}

function binaryOf(value: Json | undefined, size: number, what: string): Bytes {
  const made = typeof value === "string" ? decoded(value, size) : undefined;
  if (made?.length === size) return made;
  throw malformed(`${what} is ${size} bytes in base64 with padding`);
}

function hashOf(value: Json | undefined, what: string): Bytes {
  return binaryOf(value, HASH_BYTES, what);
}

function contentOf(value: Json | undefined): Disclosure {
  const members = membersOf(value, "content");
  mustHaveJust(members, CONTENT_MEMBERS, "content");
  const salt = binaryOf(members.get("salt"), SALT_BYTES, "salt");
  return { at: textIn(members, "at"), actor: textIn(members, "actor"), body: textIn(members, "body"), salt };
}

function proofOf(value: Json | undefined): readonly Bytes[] {
  if (Array.isArray(value) && value.length <= PROOF_HASHES_MAX) {
    return value.map((each) => hashOf(each, "a hash of inclusion_proof"));
  }
  throw malformed(`inclusion_proof is an array of at most ${PROOF_HASHES_MAX} hashes`);
}

function bigEndian(value: number, size: 2 | 8): Bytes {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 2) view.setUint16(0, value);
  else view.setBigUint64(0, BigInt(value));
  return bytes;
}

function framed(size: 2 | 8, text: string): Bytes {
  const content = utf8(text);
  return concatenated([bigEndian(content.length, size), content]);
}

async function commitmentOf(disclosure: Disclosure): Promise<Bytes> {
  if ("commitment" in disclosure) return disclosure.commitment;
  const { at, actor, body, salt } = disclosure;
  return await sha256(salt, framed(8, at), framed(8, actor), framed(8, body));
}

/** Section 1: what of the event is published, under the prefix of a leaf. */
async function leafHashOf(receipt: Receipt, commitment: Bytes): Promise<Bytes> {
  const version = receipt.written === "with_event" ? 1 : 2;
  const [stream, seq] = [framed(2, receipt.stream), bigEndian(receipt.seq, 8)];
  const [recordedAt, kind] = [framed(2, receipt.recordedAt), framed(2, receipt.kind)];
  return await sha256(Uint8Array.of(0, version), stream, seq, recordedAt, kind, commitment);
}

interface LogKey {
  readonly name: string;
  readonly id: Bytes;
  readonly key: VerifyingKey;
}

function isKeyName(name: string): boolean {
  const isPlain = ![...name].some((each) => each <= " " || each === "+" || each === "\x7f");
  const size = utf8(name).length;
  return isPlain && !/\p{White_Space}/u.test(name) && isWellFormed(name) && size >= 1 && size <= KEY_NAME_BYTES_MAX;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A verifier key (C2SP signed-note): a name, the id of four bytes, and an Ed25519 key. */
async function logKeyOf(vkey: string): Promise<LogKey> {
  const [name = "", id, ...rest] = vkey.split("+");
  // The alphabet of base64 has the plus sign too.
  const material = decoded(rest.join("+"), 1 + HASH_BYTES);
  if (material?.length !== 1 + HASH_BYTES || !isKeyName(name)) {
    throw new ReceiptError("audit.key_must_be_verifier_key", "a verifier key is name+id+key, as it was published");
  }
  const own = (await sha256(utf8(`${name}\n`), material)).slice(0, KEY_ID_BYTES);
  if (id !== hex(own)) {
    throw new ReceiptError("audit.key_must_be_verifier_key", "the id in the verifier key is that of another key");
  }
  if (material[0] !== ED25519) {
    throw new ReceiptError("audit.key_must_be_of_kind", "the key of a log is wanted, Ed25519 of type 0x01");
  }
  if (isWeak(material.slice(1))) {
    const text = "the verifier key is a point of small order: anybody can sign for it";
    throw new ReceiptError("audit.key_must_be_strong", text);
  }
  return { name, id: own, key: await VerifyingKey.ed25519(material.slice(1)) };
}

/**
 * Whether the order of a point is at most 8 (RFC 8032 section 5.1; y is without the sign of x). Orders 1, 2 and 4 have
 * y = 1, -1 and 0. Doubled to order 4, a point of order 8 has x^2 = -y^2, and so on the curve d y^4 + 2 y^2 = 1, where
 * d = -121665/121666.
 */
function isWeak(publicKey: Bytes): boolean {
  const field = 2n ** 255n - 19n;
  const y = BigInt.asUintN(255, BigInt(`0x${hex(publicKey.slice().reverse())}`));
  const square = (y * y) % field;
  if (square === 0n || square === 1n) return true;
  return (121_665n * square * square - 121_666n * (2n * square - 1n)) % field === 0n;
}

/** A signed note (C2SP signed-note): a text, and the lines of signature behind its last empty line. */
interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

interface NoteSignature {
  readonly name: string;
  readonly id: Bytes;
  readonly signature: Bytes;
}

function noteOf(note: string): Note {
  const end = note.lastIndexOf("\n\n");
  if (end < 0) throw malformed("in a note an empty line stands before the signatures");
  const text = note.slice(0, end + 1);
  for (const each of text) {
    if (each < " " && each !== "\n") throw malformed("the text of a note has no control characters");
  }
  const lines = note.slice(end + 2).split("\n");
  if (lines.pop() !== "" || lines.length < 1 || lines.length > NOTE_SIGNATURES_MAX) {
    throw malformed(`a note has 1 to ${NOTE_SIGNATURES_MAX} signatures, each a line with its newline`);
  }
  return { text, signatures: lines.map(signatureOf) };
}

function signatureOf(line: string): NoteSignature {
  const [dash, name = "", base64 = "", ...more] = line.split(" ");
  const made = decoded(base64, SIGNATURE_BYTES_MAX);
  const hasForm = dash === "\u2014" && isKeyName(name) && more.length === 0;
  if (!hasForm || made === undefined || made.length <= KEY_ID_BYTES) {
    throw malformed("a signature in a note is an em dash, the name of a key, and base64");
  }
  return { name, id: made.slice(0, KEY_ID_BYTES), signature: made.slice(KEY_ID_BYTES) };
}

/** The text of a note, if the key signed it and no signature by the key is wrong. */
async function signedTextOf(note: Note, { name, id, key }: LogKey): Promise<string> {
  const made = note.signatures.filter((each) => each.name === name && areEqual(each.id, id));
  if (made.length === 0) {
    const text = `the checkpoint is not signed by ${name}+${hex(id)}`;
    throw new ReceiptError("audit.note_must_be_signed_by_known_key", text);
  }
  for (const { signature } of made) {
    if (signature.length === 64 && (await key.isSigned(utf8(note.text), signature))) continue;
    throw new ReceiptError("audit.signature_must_verify", `a signature by ${name} is not of this checkpoint`);
  }
  return note.text;
}

/** C2SP tlog-checkpoint: origin, size, root, and lines of extension that mean nothing here. */
function checkpointOf(text: string, key: LogKey): Checkpoint {
  const lines = text.slice(0, -1).split("\n");
  const [origin, size, rootText] = lines;
  if (origin === undefined || size === undefined || rootText === undefined || lines.includes("")) {
    throw new ReceiptError(CHECKPOINT_FORM, "it has three lines or more, and none is empty");
  }
  if (!/^(0|[1-9][0-9]{0,19})$/.test(size) || BigInt(size) >= SIZE_END) {
    throw new ReceiptError(CHECKPOINT_FORM, "its size is a number without leading zeros");
  }
  const root = decoded(rootText, HASH_BYTES);
  if (root?.length !== HASH_BYTES) {
    throw new ReceiptError(CHECKPOINT_FORM, "its root is 32 bytes in base64 with padding");
  }
  if (origin !== key.name) {
    throw new ReceiptError("audit.checkpoint_must_be_of_this_log", `it is of ${origin}, and the key of ${key.name}`);
  }
  return { origin, size: BigInt(size), root };
}

/** RFC 9162 section 2.1.3.2: climbs from the leaf to the root. */
async function mustInclude(leaf: Bytes, index: number, proof: readonly Bytes[], checkpoint: Checkpoint): Promise<void> {
  if (BigInt(index) >= checkpoint.size) {
    throw new ReceiptError("audit.index_must_be_in_tree", `leaf ${index} is not in a tree of ${checkpoint.size}`);
  }
  let [node, last, found] = [BigInt(index), checkpoint.size - 1n, leaf];
  const climb = () => {
    node >>= 1n;
    last >>= 1n;
  };
  for (const beside of proof) {
    if (last === 0n) throw new ReceiptError(FIT, "the proof has more hashes than the tree is high");
    const isRight = node % 2n === 1n;
    if (isRight || node === last) {
      found = await sha256(Uint8Array.of(1), beside, found);
      // The last node of a level without a sibling goes up as it is.
      while (node % 2n === 0n && node !== 0n) climb();
    } else {
      found = await sha256(Uint8Array.of(1), found, beside);
    }
    climb();
  }
  if (last !== 0n) throw new ReceiptError(FIT, "the proof has fewer hashes than the tree is high");
  if (!areEqual(found, checkpoint.root)) {
    const text = "event, index or proof is not what was logged: it leads to another root";
    throw new ReceiptError("audit.proof_must_lead_to_root", text);
  }
}
