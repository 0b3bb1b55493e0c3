"""Process equivalence by telemetry: what is drawn of it, what it shows, what the plan allows."""
