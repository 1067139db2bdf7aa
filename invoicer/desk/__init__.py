"""The desk of the knowledge base: looking at what is known, and changing its words."""
