"""Keys of design files: deposited, asked for, released, reconciled."""
