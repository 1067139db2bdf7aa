"""The addresses of the service, thin: what is decided is decided below."""
