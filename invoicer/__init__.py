"""Tax classification codes for Chinese invoice lines, with rates and an honest confidence."""

from invoicer.assistant import Assistant
from invoicer.line import InvoiceLine
from invoicer.suggestion import Suggestion, Tier

__all__ = ["Assistant", "InvoiceLine", "Suggestion", "Tier"]
