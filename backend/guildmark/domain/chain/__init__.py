"""What the contracts say: facts, storage, proofs of it, refusals, typed data."""
