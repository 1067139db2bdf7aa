"""Running the service: one model loaded once, worker processes forked from it."""

from __future__ import annotations

import gc
import logging
import logging.config
import os
import shutil
import tempfile
from typing import Any

from api.settings import ServiceSettings
from invoicer.access import keys
from invoicer.store import Store

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
            "json_ensure_ascii": False,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        # uvicorn's own line a request would only repeat ours.
        "uvicorn.access": {"level": "WARNING"},
        "gunicorn.error": {"level": "INFO", "propagate": True, "handlers": []},
    },
}


def key_hint(store: Store) -> str:
    """How to make the first key; empty once there is one."""
    if any(key["disabled_at"] is None for key in keys.keys(store)):
        return ""
    return (
        "还没有 API 密钥,任何请求都会被拒绝。请先运行:\n"
        "  invoicer tenants create 租户名\n"
        "  invoicer keys create --tenant 租户名 --name 系统名称"
    )


def run(settings: ServiceSettings) -> None:
    """Serve until told to stop; finishes running requests first.

    Raises UnavailableError, before listening, where the database or the bundle is broken.
    """
    figures = tempfile.mkdtemp(prefix="invoicer-metrics-")
    # Read by prometheus_client when it is first imported, which the application does.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures
    try:
        _serve(settings)
    finally:
        shutil.rmtree(figures, ignore_errors=True)


def _serve(settings: ServiceSettings) -> None:
    from gunicorn.app.base import BaseApplication
    from prometheus_client import multiprocess

    from api.app import create_app
    from api.service import Service

    logging.config.dictConfig(LOGGING)
    service = Service.load(settings)
    app = create_app(settings, service)
    # Objects of the loaded model are never collected: workers go on sharing their pages.
    gc.collect()
    gc.freeze()

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{settings.host}:{settings.port}",
                "workers": settings.workers,
                "worker_class": "api.worker.Worker",
                "preload_app": True,
                "graceful_timeout": int(settings.request_seconds) + 5,
                "timeout": int(settings.request_seconds) * 2 + 30,
                "keepalive": 75,
                "forwarded_allow_ips": settings.trusted_proxies,
                "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,
                "logconfig_dict": LOGGING,
                "child_exit": lambda _, worker: multiprocess.mark_process_dead(worker.pid),
                "proc_name": "invoicer",
                "control_socket_disable": True,
            }.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    Server().run()
