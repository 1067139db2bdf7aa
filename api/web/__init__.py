"""The reviewers' pages, on the same application as the API."""
