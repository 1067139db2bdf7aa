"""The checks of word tables, as this program compares names and weighs descriptors."""

from __future__ import annotations

import datetime as dt

from invoicer.line import today
from knowledge_base import KnowledgeBase
from knowledge_base.industries import IndustryTable
from knowledge_base.word_checks import WordRules
from models.roles import ROLE_WEIGHT
from models.words import name_key

# What a reading says by itself, and no table.
OWN_ROLES = {"core", "side", "brand"}
KINDS = tuple(kind for kind in ROLE_WEIGHT if kind not in OWN_ROLES)


def word_rules(kb: KnowledgeBase, day: dt.date) -> WordRules:
    """The checks of a knowledge base's words on a day."""
    return WordRules(kb.taxonomy, IndustryTable.load(kb.root), day, name_key, KINDS)


def rules_of_today(kb: KnowledgeBase) -> WordRules:
    """The checks of a knowledge base's words as of today."""
    return word_rules(kb, today())
