// A server that verifies each request with the npm package http-message-signatures: signature, times and coverage; and the
// digest of the content by hand, which the package leaves to others. No nonce is remembered, no answer is signed.
//
//   node serve.mjs PORT FOLDER     FOLDER is where the package was installed

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , port, folder] = process.argv;
const { createVerifier, httpbis } = createRequire(join(folder, 'package.json'))('http-message-signatures');

const secret = Buffer.alloc(32, 7);
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
const public_ = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
const keys = {
  'hmac-sha256': { id: 'hmac-sha256', algs: ['hmac-sha256'], verify: createVerifier(secret, 'hmac-sha256') },
  ed25519: { id: 'ed25519', algs: ['ed25519'], verify: createVerifier(public_, 'ed25519') },
};
const answer = JSON.stringify({ token: '0'.repeat(92) });

async function verify(request, content) {
  const digest = createHash('sha256').update(content).digest('base64');
  if (request.headers['content-digest'] !== `sha-256=:${digest}:`) return false;
  return httpbis.verifyMessage({
    keyLookup: async ({ keyid }) => keys[keyid],
    requiredParams: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
    requiredFields: ['@method', '@authority', '@path', '@query', 'content-digest'],
    tolerance: 5,
  }, { method: request.method, url: `http://${request.headers.host}${request.url}`, headers: request.headers });
}

createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => {
    const accepted = await verify(request, Buffer.concat(parts)).catch(() => false);
    response.writeHead(accepted === true ? 200 : 401, {
      'content-type': 'application/json',
      'content-length': answer.length,
    });
    response.end(answer);
  });
}).listen(Number(port), '127.0.0.1');
