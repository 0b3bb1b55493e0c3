"""What the services need from outside, as Protocols that state their errors.

Adapters fulfil them; services and the verifier know nothing else of chain, files and keys.
"""
