"""How the system learns: candidates from decisions, a gate before them, versions to go back to."""
