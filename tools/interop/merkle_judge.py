"""A Merkle tree by pymerkle of PyPI, beside ours.

Standard input: {"entries": [base64], "proofs": [{"index": 0, "size": 1, "path": [base64]}]}, the path as of RFC 9162
section 2.1.3. Standard output: {"roots": [base64 at each size from 0], "paths": [[base64]]}, pymerkle's own proofs.
Fails unless pymerkle accepts every proof that it is given, and refuses it with one bit changed.
"""

import base64
import json
import sys

from pymerkle import InclusionProof, InmemoryTree, InvalidProof, verify_inclusion


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def accepted(proof, path, base, root, index, size) -> bool:
    given = InclusionProof(
        algorithm="sha256", security=True, size=size, index=index, rule=proof.rule, path=[base, *path]
    )
    try:
        verify_inclusion(base, root, given, index=index, size=size, algorithm="sha256")
    except InvalidProof:
        return False
    return True


def main() -> None:
    given = json.load(sys.stdin)
    tree = InmemoryTree(algorithm="sha256")
    roots = [tree.get_root()]
    for entry in given["entries"]:
        tree.append_entry(base64.b64decode(entry))
        roots.append(tree.get_root())
    paths = []
    for proof in given["proofs"]:
        # pymerkle counts leaves from one.
        index, size = proof["index"] + 1, proof["size"]
        own = tree.prove_inclusion(index, size)
        base, root = tree.get_leaf(index), roots[size]
        path = [base64.b64decode(text) for text in proof["path"]]
        if not accepted(own, path, base, root, index, size):
            sys.exit(f"pymerkle refuses the proof of leaf {index - 1} in {size}")
        for place, digest in enumerate(path):
            changed = bytes([digest[0] ^ 1]) + digest[1:]
            if accepted(own, [*path[:place], changed, *path[place + 1 :]], base, root, index, size):
                sys.exit(f"pymerkle accepts a changed proof of leaf {index - 1} in {size}")
        paths.append([b64(digest) for digest in own.path[1:]])
    print(json.dumps({"roots": [b64(root) for root in roots], "paths": paths}))


if __name__ == "__main__":
    main()
