"""What a verdict needs, collected and judged."""
