"""What is known: the code table, everyday names, rates: data with dates and sources."""

from knowledge_base.base import KnowledgeBase
from knowledge_base.taxonomy import TaxCode, Taxonomy

__all__ = ["KnowledgeBase", "TaxCode", "Taxonomy"]
