"""How values become bytes and come back: canonical JSON, ABI, archives, strict readers."""
