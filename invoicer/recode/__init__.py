"""Re-coding of invoice history: what every line should have been, and what that costs."""
