-- How keys are used: hour by hour, and when last. Counted in memory and written every minute, so what a crash takes is at
-- most the last minute. One row for each server that counts.

CREATE TABLE key_usage (
    lineage TEXT NOT NULL,
    version BIGINT NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    server TEXT NOT NULL,
    accepted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    codes TEXT NOT NULL,
    sources TEXT NOT NULL,
    agents TEXT NOT NULL,
    PRIMARY KEY (lineage, version, hour, server)
);
CREATE INDEX key_usage_by_hour ON key_usage (hour);

CREATE TABLE key_last_used (
    lineage TEXT NOT NULL,
    version BIGINT NOT NULL,
    server TEXT NOT NULL,
    last_used TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (lineage, version, server)
);
