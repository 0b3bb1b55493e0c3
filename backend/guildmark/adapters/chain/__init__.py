"""The ledger made real: an EVM chain over JSON-RPC."""
