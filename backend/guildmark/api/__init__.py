"""HTTP: routes, pages and one table from domain error to status."""
