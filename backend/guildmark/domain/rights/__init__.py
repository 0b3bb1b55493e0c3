"""What may be built, how often, where: designs, terms, metering, key release."""
