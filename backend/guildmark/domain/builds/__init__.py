"""What was built: signed statements about parts, and what goes with them."""
