// The two things that nginx's auth_request cannot do for Strongroom's gate: compare content, and hand on a refusal.
import crypto from 'crypto';

// The gate says what the content must be: `none`, or the digests that were signed, in one spelling.
function matches(wanted, content) {
    if (!wanted) return false;
    if (wanted === 'none') return content.length === 0;
    return wanted.split(', ').every((member) => {
        const algorithm = { 'sha-256': 'sha256', 'sha-512': 'sha512' }[member.slice(0, 7)];
        if (!algorithm) return false;
        return member.slice(7) === '=:' + crypto.createHash(algorithm).update(content).digest('base64') + ':';
    });
}

function problem(r, code, detail) {
    r.headersOut['Content-Type'] = 'application/problem+json';
    r.headersOut['Cache-Control'] = 'no-store';
    const title = code.replace(/[._]/g, ' ');
    r.return(401, JSON.stringify({ type: '/errors/' + code, code, status: 401, title, detail }));
}

// Runs after auth_request has let the request in.
function pass(r) {
    if (!matches(r.variables.judged_content, r.requestBuffer || Buffer.from(''))) {
        return problem(r, 'request.content_must_match_digest', 'the content is not what was signed');
    }
    r.internalRedirect('@application');
}

function refuse(r) {
    const carried = r.variables.judged_refusal;
    if (!carried) return r.return(403);
    const refusal = JSON.parse(Buffer.from(carried, 'base64').toString());
    Object.keys(refusal.fields).forEach((name) => { r.headersOut[name] = refusal.fields[name]; });
    r.return(refusal.status, refusal.body);
}

export default { pass, refuse };
