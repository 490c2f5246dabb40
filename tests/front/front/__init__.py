"""nginx in front of an admin: TLS, client certificates, an access proxy's headers and cookies."""
