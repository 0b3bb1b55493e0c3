"""Private keys: encrypted files, opened by a password, spoken to by name."""
