-- How keys are used: hour by hour, and when last. Counted in memory and written every minute, so what a crash takes is at
-- most the last minute. One row for each server that counts.

CREATE TABLE key_usage (
    lineage TEXT NOT NULL,
    version INTEGER NOT NULL,
    hour TEXT NOT NULL,
    server TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    codes TEXT NOT NULL,
    sources TEXT NOT NULL,
    agents TEXT NOT NULL,
    PRIMARY KEY (lineage, version, hour, server)
) STRICT;
CREATE INDEX key_usage_by_hour ON key_usage (hour);

CREATE TABLE key_last_used (
    lineage TEXT NOT NULL,
    version INTEGER NOT NULL,
    server TEXT NOT NULL,
    last_used TEXT NOT NULL,
    PRIMARY KEY (lineage, version, server)
) STRICT;
