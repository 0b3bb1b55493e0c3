"""Routes: read the request, call a service, write the answer."""
