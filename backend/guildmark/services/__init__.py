"""Use cases, one module a noun, each a frozen dataclass that holds its ports."""
