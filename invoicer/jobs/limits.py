"""What the process of a job may use, so that no file can harm the service beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

NICE = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """seconds: from start to end; memory: bytes of address space; disk: bytes of one file;
    rows: of the file handed in."""

    seconds: int
    memory: int
    disk: int
    rows: int

    def to_arguments(self) -> list[str]:
        return [str(value) for value in astuple(self)]

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Self:
        return cls(*(int(text) for text in arguments))

    def apply(self) -> None:
        """Bind this process, as far as the platform can; there is no way back."""
        try:
            import resource
        except ImportError:
            return
        os.nice(NICE)
        for kind, most in (
            (resource.RLIMIT_AS, self.memory),
            (resource.RLIMIT_FSIZE, self.disk),
            (resource.RLIMIT_CPU, self.seconds),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(kind)[1]
            if hard == resource.RLIM_INFINITY or most < hard:
                resource.setrlimit(kind, (most, most))
