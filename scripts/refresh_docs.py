"""Write what the documents hold of the source: docs/openapi.json and the settings in docs/api.md.

    python scripts/refresh_docs.py [--check]

--check: change nothing, say which file is not up to date, and end with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from api.app import create_app  # noqa: E402
from api.settings import ServiceSettings  # noqa: E402

OPENAPI = ROOT / "docs" / "openapi.json"
API = ROOT / "docs" / "api.md"
START, END = "<!-- settings -->\n", "<!-- end of settings -->\n"


def openapi() -> str:
    """The description of the interface, as the service with no settings gives it."""
    return json.dumps(create_app(ServiceSettings()).openapi(), ensure_ascii=False, indent=1) + "\n"


def settings_table() -> str:
    """Every setting of the service with its default."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in ServiceSettings.model_fields.items():
        default = field.default
        if isinstance(default, tuple | str):
            shown = f"`{default}`" if default else "empty"
        else:
            shown = f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"
        rows.append(f"| `INVOICER_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


def api_document() -> str:
    text = API.read_text(encoding="utf-8")
    return re.sub(
        f"(?<={START}).*?(?={END})", lambda _: settings_table(), text, flags=re.DOTALL
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for name in [name for name in os.environ if name.startswith("INVOICER_")]:
        del os.environ[name]
    stale = []
    for path, text in ((OPENAPI, openapi()), (API, api_document())):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    print("\n".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
