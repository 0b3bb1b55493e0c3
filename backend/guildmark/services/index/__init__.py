"""What this home read of the chain, and whether it is what the chain says."""
