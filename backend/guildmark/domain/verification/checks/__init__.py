"""The numbered checks, (0) to (8); docs/verification.md lists the same."""
