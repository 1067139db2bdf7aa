"""What goes to people, and what comes back from them."""
