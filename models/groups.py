"""The group that a line names before the goods or the service: 日用品-毛巾, 现代服务 审计费."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

from models.roles import ASKED_ROLES, ends_named
from models.segments import stretches

KINDS = ("group", "raw", "services")
_HAN = r"[\u4e00-\u9fff]{2,12}"
_FIRST = re.compile(rf"[\[【(<]({_HAN})[\]】)>]\s*|({_HAN})[\s:/|_\-—–~·>]+")
MAX_GROUPS = 4  # one in the other: 食品/饮料/果汁


class Groups:
    """Takes them off a normalised name.

    words: word → its places: a `group` of goods, one of `raw` goods, which tastes are named after
    (菠菜 is a vegetable behind 蔬菜, a taste behind 饼干), or one of `services`; names: every known
    name; descriptors: word → kind; works: endings of charges and works, so of services.
    """

    def __init__(
        self,
        words: Mapping[str, str],
        names: Set[str],
        descriptors: Mapping[str, str],
        works: tuple[str, ...],
    ):
        self._names = names
        self._works = works
        self._tastes = frozenset(w for w, kind in descriptors.items() if kind in ASKED_ROLES)
        self._groups = {w: place for w, place in words.items() if place in KINDS}

    def strip(self, text: str) -> tuple[str, tuple[str, ...]]:
        """(the text without groups, the groups); only before a known name, and joined with it where
        both are one (蔬菜 种子, 设备-维修费)."""
        found: list[str] = []
        while len(found) < MAX_GROUPS and (match := _FIRST.match(text)):
            group, rest = match[1] or match[2], text[match.end() :]
            if group not in self._groups:
                break
            parts = stretches(rest)
            if parts and f"{group}{parts[0]}" in self._names:
                return f"{group}{rest}", tuple(found)
            if not self._is_named(group, parts):
                break
            found.append(group)
            text = rest
        return text, tuple(found)

    def _is_named(self, group: str, parts: list[str]) -> bool:
        """Whether these parts of a name hold goods or a service of the group."""
        kind = self._groups[group]
        if kind == "raw" and any(len(p) == 1 or p in self._tastes for p in parts):
            return True
        named = [part for part in parts if part in self._names or ends_named(part, self._names)]
        if kind == "services":
            return any(p.endswith(self._works) and self._groups.get(p) != kind for p in named)
        return any(part not in self._tastes for part in named)
