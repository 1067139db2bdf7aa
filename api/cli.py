"""`invoicer`: all commands, those of the service among them."""

from __future__ import annotations

from typing import Annotated

import typer

from invoicer.cli import app
from invoicer.console import err, friendly_errors


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址,默认 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="端口,默认 8000")] = None,
    workers: Annotated[int | None, typer.Option(help="工作进程数,默认 2")] = None,
) -> None:
    """启动 HTTP 服务;设置见 docs/api.md 的 INVOICER_* 环境变量。"""
    # Loaded when asked for: the other commands need no web framework.
    from api.serve import key_hint, run
    from api.settings import ServiceSettings
    from invoicer.store import Store

    with friendly_errors():
        given = {"host": host, "port": port, "workers": workers}
        settings = ServiceSettings.load(**{k: v for k, v in given.items() if v is not None})
        hint = key_hint(Store.open(settings.database_path))
        if hint:
            err.print(hint, style="yellow")
        run(settings)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
