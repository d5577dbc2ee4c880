// Signs or verifies requests with the npm package http-message-signatures, as it is. Input and output are those of
// judge.py. The package makes no digests, so the caller of this program puts Content-Digest into the headers.
//
//   node judge.mjs sign|verify FOLDER     FOLDER is where the package was installed

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , task, folder] = process.argv;
const { createSigner, createVerifier, httpbis } = createRequire(join(folder, 'package.json'))('http-message-signatures');
const given = JSON.parse(readFileSync(0, 'utf8'));

const key = (name, half) => {
  const { secret, pkcs8 } = given.keys[name];
  if (secret) return Buffer.from(secret, 'base64');
  const private_ = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
  return half === 'private' ? private_ : createPublicKey(private_);
};

const message = (request) => ({
  method: request.method,
  url: request.url,
  headers: Object.fromEntries(request.headers),
});

async function sign(request) {
  const content = Buffer.from(request.content, 'base64');
  const covered = [...request.covered];
  if (content.length > 0) {
    const digest = createHash('sha512').update(content).digest('base64');
    request.headers.push(['Content-Digest', `sha-512=:${digest}:`]);
    covered.push('content-digest');
  }
  const created = new Date(given.created * 1000);
  const signed = await httpbis.signMessage({
    key: createSigner(key(request.key, 'private'), given.keys[request.key].algorithm, request.key),
    name: 'npm',
    fields: covered,
    params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
    paramValues: {
      created,
      expires: new Date(created.getTime() + 60000),
      nonce: request.nonce,
      tag: 'strongroom-request',
    },
  }, message(request));
  return { ...request, headers: Object.entries(signed.headers) };
}

async function verify(request) {
  const accepted = await httpbis.verifyMessage({
    keyLookup: async ({ keyid }) => ({
      id: keyid,
      algs: [given.keys[keyid].algorithm],
      verify: createVerifier(key(keyid, 'public'), given.keys[keyid].algorithm),
    }),
    requiredParams: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
    requiredFields: ['@method', '@authority', '@path', '@query'],
    tolerance: 5,
  }, message(request));
  if (accepted !== true) throw new Error(`refused: ${JSON.stringify(request)}`);
}

if (task === 'sign') {
  console.log(JSON.stringify(await Promise.all(given.requests.map(sign))));
} else {
  await Promise.all(given.requests.map(verify));
  console.log(given.requests.length);
}
