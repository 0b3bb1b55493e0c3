"""Ethereum's own proofs, decoded by ourselves: RLP, block headers, Merkle-Patricia tries."""
