"""Content by its address: a block store on this disk, and files encrypted in it."""
