"""How others reach the assistant: the HTTP service."""
