"""Equivalence between plan and certificate: who does what on chain, and what the data are."""
