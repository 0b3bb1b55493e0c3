"""The database: tables, their migrations, and an engine that loses nothing."""
