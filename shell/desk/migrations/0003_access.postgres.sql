-- Who may touch the fund: principals, their keys, and the nonces of requests that changed something. Nothing here is
-- secret: public keys, sealed texts and hashes stay in the log.

CREATE TABLE principals (
    principal TEXT NOT NULL,
    role TEXT NOT NULL,
    enabled TEXT NOT NULL,
    denied_scopes TEXT NOT NULL,
    participant TEXT,
    PRIMARY KEY (principal)
);

CREATE TABLE credentials (
    lineage TEXT NOT NULL,
    version BIGINT NOT NULL,
    principal TEXT NOT NULL,
    environment TEXT NOT NULL,
    scopes TEXT NOT NULL,
    networks TEXT NOT NULL,
    owner TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (lineage, version)
);

CREATE TABLE request_nonces (
    lineage TEXT NOT NULL,
    nonce TEXT NOT NULL,
    version BIGINT NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL,
    kept_until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (lineage, nonce)
);
CREATE INDEX request_nonces_by_end ON request_nonces (kept_until);
