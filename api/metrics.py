"""Figures for Prometheus, summed over the worker processes."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client import REGISTRY as PROCESS_REGISTRY

REQUESTS = Counter(
    "invoicer_requests_total", "Requests by method, route and status.",
    ["method", "route", "status"],
)  # fmt: skip
LATENCY = Histogram(
    "invoicer_request_seconds", "Time from request to answer.", ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)  # fmt: skip
LINES = Counter(
    "invoicer_lines_total", "Lines answered, one by one and in jobs, by tier.", ["tier"]
)
JOBS = Counter("invoicer_jobs_total", "Jobs that ended, by kind and state.", ["kind", "state"])
REVIEW_ITEMS = Counter("invoicer_review_items_total", "Lines sent to the review queue.")


def exposition() -> tuple[bytes, str]:
    """(text, content type) of all figures."""
    registry = PROCESS_REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
