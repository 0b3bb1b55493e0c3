"""Labels in use: how often they are scanned, and who claims their parts first."""
