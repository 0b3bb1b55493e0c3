"""The ports made real: chain, database, content, keys, files."""
