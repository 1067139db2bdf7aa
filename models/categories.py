"""Names of whole groups of codes, printed where one product should stand: 调味品, 烟草制品.

They are the inner nodes of the code table and the 简称 that no product is called by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from knowledge_base import KnowledgeBase
from models.index import Index
from models.words import name_key


@dataclass(frozen=True, slots=True)
class Category:
    """name: as the table writes it; options: name → code of what it can mean, in the order of the
    codes; is_one: whether these have one 简称."""

    name: str
    options: Mapping[str, str]
    is_one: bool


def compile_categories(kb: KnowledgeBase, index: Index, group: np.ndarray) -> dict[str, Category]:
    """Key of a name → its category. group: number of the 简称 of each code, (n_codes,).

    A name that a product of the group bears as well (豆制品) is that product's; one that is known
    for one product of another group alone (糖) can mean that, too.
    """
    places = {code: place for place, code in enumerate(index.codes)}
    members: dict[str, set[int]] = defaultdict(set)
    titles: dict[str, str] = {}
    for node in kb.taxonomy:
        current = {places[leaf.code] for leaf in kb.taxonomy.under(node.code) if not leaf.valid_to}
        for name in kb.taxonomy.group_names(node) if current else ():
            key = name_key(name)
            members[key] |= current
            titles.setdefault(key, name)
    categories = {}
    for key, codes in members.items():
        place = index.names.get(key)
        if place is not None:
            own = index.name_codes.indices[slice(*index.name_codes.indptr[place : place + 2])]
            if not codes.isdisjoint(own.tolist()):
                continue
            codes |= set(own.tolist()) if len(own) == 1 else set()
        options: dict[str, str] = {}
        for code in sorted(codes):
            leaf = kb.taxonomy[index.codes[code]]
            options.setdefault(leaf.name, leaf.code)
        is_one = len(set(group[sorted(codes)].tolist())) == 1
        categories[key] = Category(titles[key], options, is_one)
    return categories
