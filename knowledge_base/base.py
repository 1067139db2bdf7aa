"""Everything that is known, loaded from the data folder in one call."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from knowledge_base import tables
from knowledge_base.lexicon import Lexicon
from knowledge_base.taxonomy import DatedShortName, Exclusion, TaxCode, Taxonomy

RATES = "rates_"


def _tax_code(row: dict[str, str]) -> TaxCode:
    valid_from = tables.day(row["valid_from"])
    if valid_from is None:
        raise ValueError(f"taxonomy.csv: code {row['code']} has no valid_from")
    return TaxCode(
        code=row["code"],
        name=row["name"],
        short_name=row["short_name"],
        parent=row["parent"],
        is_leaf=row["leaf"] == "1",
        keywords=tables.split(row["keywords"]),
        includes=tables.split(row["includes"]),
        excludes=tuple(
            Exclusion(*item.rsplit(">", 1)) for item in tables.split(row["excludes"]) if ">" in item
        ),
        tariff_names=tuple(
            dict.fromkeys(t.partition(":")[2] for t in tables.split(row["tariff_headings"]))
        ),
        special_treatments=tables.split(row["special_treatment"]),
        rates={
            column.removeprefix(RATES): tables.split(cell)
            for column, cell in row.items()
            if cell and column.startswith(RATES)
        },
        valid_from=valid_from,
        valid_to=tables.day(row["valid_to"]),
    )


class KnowledgeBase:
    """Code table, words and their version.

    The tables are CSV files under `knowledge_base/data`, described in its PROVENANCE.md.
    """

    def __init__(
        self, root: Path, taxonomy: Taxonomy, lexicon: Lexicon, supplement: Path | None = None
    ):
        self.root = root
        self.taxonomy = taxonomy
        self.lexicon = lexicon
        self.supplement = supplement

    @classmethod
    def load(cls, root: Path = tables.DATA, supplement: Path | None = None) -> KnowledgeBase:
        """The tables of a folder, with a file of confirmed names where one is given."""
        short_names = [
            DatedShortName(
                code_prefix=r["code_prefix"],
                short_name=r["short_name"],
                valid_from=tables.day(r["valid_from"]),
                valid_to=tables.day(r["valid_to"]),
                confidence=r["confidence"],
                source=r["source"],
            )
            for r in tables.rows("short_names", root)
        ]
        codes = (_tax_code(row) for row in tables.rows("taxonomy", root))
        return cls(root, Taxonomy(codes, short_names), Lexicon(root, supplement), supplement)

    @cached_property
    def version(self) -> str:
        """Twelve hex digits over all data files, confirmed names included."""
        version = tables.fingerprint(self.root)
        if self.lexicon.confirmed and self.supplement is not None:
            version = hashlib.sha256(version.encode() + self.supplement.read_bytes()).hexdigest()
        return version[:12]
