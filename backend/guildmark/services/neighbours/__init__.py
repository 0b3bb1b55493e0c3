"""Other operators: witnesses and mirrors."""
