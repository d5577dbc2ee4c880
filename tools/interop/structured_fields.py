#!/usr/bin/env python3
"""Makes sdk/typescript/test/structured-fields.json: fields, and what the PyPI package http-sf makes of them.

    structured_fields.py write      writes the file; the same file every time
    structured_fields.py check      fails if the file is not what would be written
"""

import json
import pathlib
import random
import sys

import http_sf

FILE = pathlib.Path(__file__).resolve().parents[2] / "sdk/typescript/test/structured-fields.json"
ROWS_MAX = 250  # of those that are fields, and as many of those that are not

ITEMS = [
    "a", "b1", "*x", '"q"', r'"a\"b\\"', r'"a\b"', '"', ":AAAA:", ":AA:", ":AA==:", ":A:", ":AB:", ":=AAA:", ":A A:", "?1", "?0",
    "?2", "1", "-1", "0", "-0", "--1", "007", "1.5", "-0.5", "1.50", "1.", ".5", "0.1234", "123456789012345",
    "1234567890123456", "123456789012.123", "1234567890123.1", "@1", "@-5", "@1.5", "tok", "t:k/e", '%"a%20b"',
    '%"%c3%a9"', '%"%C3"', '%"%ff"', '%"a"', '%"a', "()", "(1 2)", "(a  b )", '("x";p "y")', "(a b", "(a,b)", "(1\t2)",
    "((a))", "",
]
SEPARATORS = [",", ", ", " , ", "\t,\t", ",,", " "]
PARAMETERS = ["", "", ";p", ";p=1", ';p;q="x"', ";P", ";p;p=2", ';p;q="x";p=1', "; p=1", ";\tp", ";p=", " ;p"]
KEYS = ["a", "b", "*c", "d-e_.", "A", "1a", ""]


def text_of(kind: str, chance: random.Random) -> str:
    members = []
    for _ in range(1 if kind == "item" else chance.randint(1, 3)):
        member = chance.choice(ITEMS) + chance.choice(PARAMETERS)
        if kind == "dictionary":
            member = chance.choice(KEYS) + (f"={member}" if chance.random() < 0.8 else chance.choice(PARAMETERS))
        members.append(member)
    text = members[0] + "".join(chance.choice(SEPARATORS) + member for member in members[1:])
    return chance.choice(["", "", " ", "\t"]) + text + chance.choice(["", "", "", " ", "\t", ","])


def row_of(kind: str, text: str) -> list:
    repeated: list = []
    try:
        value = http_sf.parse(text.encode(), tltype=kind, on_duplicate_key=lambda key, _: repeated.append(key))
    except ValueError:
        return [kind, text, None, False]
    return [kind, text, http_sf.ser(value) if value not in ({}, []) else "", bool(repeated)]


def document() -> str:
    chance = random.Random(1)
    rows: dict = {True: [], False: []}
    while min(map(len, rows.values())) < ROWS_MAX:
        kind = chance.choice(["dictionary", "list", "item"])
        row = row_of(kind, text_of(kind, chance))
        kept = rows[row[2] is not None]
        if len(kept) < ROWS_MAX and row not in kept:
            kept.append(row)
    lines = ",\n".join(json.dumps(row) for row in [*rows[True], *rows[False]])
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        FILE.write_text(document())
    elif sys.argv[1:] == ["check"]:
        if FILE.read_text() != document():
            sys.exit(f"{FILE} is not what this program writes")
        print(json.dumps({"fields": 2 * ROWS_MAX}))
    else:
        sys.exit(__doc__)
