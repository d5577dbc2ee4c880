//! HTTP Message Signatures (RFC 9421) with content digests (RFC 9530), and the profile that makes coverage a rule.
