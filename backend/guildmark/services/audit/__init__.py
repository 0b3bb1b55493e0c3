"""What a regulator asks of many parts at once, answered from chain and evidence alone."""
