/** Structured fields: what `http-sf` of PyPI, kept by an author of RFC 9651, makes of five hundred texts. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  parseDictionary,
  parseItem,
  parseList,
  serializeDictionary,
  serializeMember,
} from "../src/signature/structured.js";

/** Kind, text, the text serialised strictly (null where it is no field), and whether a name stands twice. */
type Row = [kind: string, text: string, strict: string | null, repeated: boolean];
const ROWS = JSON.parse(readFileSync("test/structured-fields.json", "utf8")) as Row[];

function judged(kind: string, text: string): [string | null, boolean] {
  if (kind === "dictionary") {
    const read = parseDictionary(text);
    return read ? [serializeDictionary(read.value), read.repeated] : [null, false];
  }
  if (kind === "list") {
    const read = parseList(text);
    return read ? [read.value.map(serializeMember).join(", "), read.repeated] : [null, false];
  }
  const read = parseItem(text);
  return read ? [serializeMember(read.value), read.repeated] : [null, false];
}

test("a field is read and written as another implementation does", () => {
  assert.equal(ROWS.length, 500);
  for (const [kind, text, strict, repeated] of ROWS) {
    assert.deepEqual(judged(kind, text), [strict, repeated], `${kind} ${JSON.stringify(text)}`);
  }
});
