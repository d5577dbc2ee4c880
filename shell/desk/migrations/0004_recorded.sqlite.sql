-- What a credential is held to for a time. With this step the store gives every event its leaf in the log.
ALTER TABLE credentials ADD COLUMN restriction TEXT;
