"""The verdict: evidence in, numbered checks and a report out; no clock, no network."""
