"""Who is in the network, and by whose word."""
