"""The stand-alone verifier: a bundle in, a report out."""
