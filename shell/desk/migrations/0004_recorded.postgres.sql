-- What a credential is held to for a time. With this step the store gives every event its leaf in the log.
ALTER TABLE credentials ADD COLUMN restriction TEXT;

-- From where signed requests came. Their records hold a salted commitment to it only, so a row can be erased.
CREATE TABLE request_sources (
    stream TEXT NOT NULL,
    seq BIGINT NOT NULL,
    peer TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    salt TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
);

-- What this server answered to signed requests, and signed.
CREATE TABLE request_answers (
    stream TEXT NOT NULL,
    seq BIGINT NOT NULL,
    status BIGINT NOT NULL,
    server_key TEXT NOT NULL,
    signature_base TEXT NOT NULL,
    signature TEXT NOT NULL,
    content TEXT,
    PRIMARY KEY (stream, seq)
);
