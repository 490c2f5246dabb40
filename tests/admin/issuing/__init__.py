"""A service that issues the tokens of an AsyncMQ admin for a user name and a password."""
