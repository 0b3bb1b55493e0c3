"""Measured values: what they are, where they come from, and whether they meet a tolerance."""
