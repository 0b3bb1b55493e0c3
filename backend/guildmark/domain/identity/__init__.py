"""Who: identities, their numbers in other registers, accreditations, DIDs."""
