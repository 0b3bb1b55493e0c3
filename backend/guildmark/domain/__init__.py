"""Pure values, rules and proofs of Guildmark: no I/O, no clock, no randomness."""
