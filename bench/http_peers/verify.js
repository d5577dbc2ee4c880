// For njs: the HMAC of the content, as most webhooks have it. No coverage, no time, no nonce.
import crypto from 'crypto';

const secret = Buffer.alloc(32, 7);
const answer = JSON.stringify({ token: '0'.repeat(92) });

function content(request) {
    const mac = crypto.createHmac('sha256', secret).update(request.requestBuffer).digest('base64');
    const right = mac === request.headersIn['X-Body-Hmac'];
    request.headersOut['Content-Type'] = 'application/json';
    request.return(right ? 200 : 401, answer);
}

export default { content };
