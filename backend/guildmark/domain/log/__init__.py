"""The log: entries, records, trees, checkpoints, notes."""
