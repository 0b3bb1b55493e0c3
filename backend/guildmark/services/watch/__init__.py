"""Watch: what an operator is told of his node before it fails him."""
