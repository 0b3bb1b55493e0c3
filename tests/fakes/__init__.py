"""Fakes in the same shape as the adapters."""
