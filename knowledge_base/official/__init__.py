"""The administration's own code tables: reading, checking, comparing, installing versions."""
