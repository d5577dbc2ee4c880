#!/usr/bin/env python3
"""A server that verifies each request with the PyPI package http-message-signatures: signature, times, tag and the digest
of the content. No nonce is remembered and no answer is signed.

    serve.py PORT
"""

import datetime
import http.server
import json
import sys
import types

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageVerifier, algorithms
from http_message_signatures.resolvers import MappingKeyResolver

SECRET = bytes([7]) * 32
PUBLIC = Ed25519PrivateKey.from_private_bytes(SECRET).public_key()
KEYS = MappingKeyResolver(public_keys={"hmac-sha256": SECRET, "ed25519": PUBLIC}, private_keys={})
VERIFIERS = {
    name: HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=KEYS)
    for name, algorithm in (("hmac-sha256", algorithms.HMAC_SHA256), ("ed25519", algorithms.ED25519))
}
ANSWER = json.dumps({"token": "0" * 92}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        content = self.rfile.read(int(self.headers["content-length"]))
        url = f"http://{self.headers['host']}{self.path}"
        message = types.SimpleNamespace(method="POST", url=url, headers=dict(self.headers))
        algorithm = "ed25519" if 'alg="ed25519"' in self.headers["signature-input"] else "hmac-sha256"
        VERIFIERS[algorithm].verify(
            message,
            expect_tag="strongroom-request",
            max_age=datetime.timedelta(seconds=60),
            require_components=("@method", "@authority", "@path", "@query"),
            body=content,
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
