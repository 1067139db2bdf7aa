"""Who may do what: tenants, principals and their keys, limits, idempotency and the audit."""
