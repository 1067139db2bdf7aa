"""Rate limits hold across processes, and never let more through than they say."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicer.access import limits
from invoicer.access.limits import RateLimit, TooManyError
from invoicer.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def is_let_through(limit: RateLimit, lines: int = 1, who: str = "key:1") -> bool:
    try:
        limit.take(who, lines)
    except TooManyError:
        return False
    return True


def test_a_burst_then_the_steady_rate(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=2, burst_seconds=5)
    assert [is_let_through(limit) for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now += 0.5
    assert [is_let_through(limit) for _ in range(2)] == [True, False]
    clock.now += 3600  # a quiet hour saves up no more than one burst
    assert [is_let_through(limit) for _ in range(12)] == [True] * 10 + [False] * 2


def test_the_wait_that_is_told_is_long_enough(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=3, burst_seconds=5)
    limit.take("key:1", 15)
    with pytest.raises(TooManyError) as caught:
        limit.take("key:1", 7)
    wait = caught.value.context["retry_after"]
    assert isinstance(wait, int)
    clock.now += wait
    limit.take("key:1", 7)


def test_each_key_has_its_own_account_and_its_own_rate(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=1, burst_seconds=1)
    assert is_let_through(limit, who="key:1")
    assert not is_let_through(limit, who="key:1")
    assert is_let_through(limit, who="key:2")
    limit.take("key:3", 100, lines_per_second=100)
    with pytest.raises(TooManyError):
        limit.take("key:3", 1, lines_per_second=100)


def test_a_batch_larger_than_the_burst_goes_through_once_and_is_paid_off(
    tmp_path: Path, clock: Clock
) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=10, burst_seconds=10)
    # As the service counts: one line when the request comes in, the others once it is read.
    limit.take("key:1", 1)
    limit.take("key:1", 999)
    assert not is_let_through(limit)
    clock.now += 89
    assert not is_let_through(limit)
    clock.now += 2
    assert is_let_through(limit)


@given(
    rate=st.floats(0.5, 1000),
    burst=st.floats(1, 20),
    takes=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_times_time(tmp_path_factory, rate, burst, takes) -> None:
    """In any window, whatever is asked for when: at most burst × rate + rate × window lines.

    takes: (seconds since the last, share of the whole burst that is asked for).
    """
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "time", clock)
        limit = RateLimit(tmp_path_factory.mktemp("limits") / "limits.db", rate, burst)
        passed: list[tuple[float, int]] = []
        for pause, share in takes:
            clock.now += pause
            lines = max(1, int(share * (burst * rate - 1)))
            if is_let_through(limit, lines):
                passed.append((clock.now, lines))
        limit.close()
    most = max(burst * rate, 1)
    for start in range(len(passed)):
        total = 0
        for moment, lines in passed[start:]:
            total += lines
            assert total <= most + rate * (moment - passed[start][0]) + 1e-3


TAKE = """
import sys
from pathlib import Path
from invoicer.access.limits import RateLimit, TooManyError
limit = RateLimit(Path(sys.argv[1]), lines_per_second=0.01, burst_seconds=10_000)
passed = 0
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    try:
        limit.take("key:1")
        passed += 1
    except TooManyError:
        pass
print(passed)
"""


def test_two_processes_share_one_account(tmp_path: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(tmp_path / "limits.db")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(2)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    passed = [int(worker.communicate("\n")[0]) for worker in workers]
    assert sum(passed) == 100  # the burst, though both asked for a hundred


def test_a_lost_file_forgives_what_was_spent(tmp_path: Path) -> None:
    path = tmp_path / "limits.db"
    limit = RateLimit(path, lines_per_second=0.001, burst_seconds=1000)
    assert [is_let_through(limit) for _ in range(2)] == [True, False]
    limit.close()
    path.unlink()
    assert is_let_through(RateLimit(path, lines_per_second=0.001, burst_seconds=1000))


def test_a_file_that_is_none_of_ours_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "limits.db"
    path.write_bytes(b"garbage " * 100)
    with pytest.raises(UnavailableError, match=r"limits\.db"):
        RateLimit(path, 1).check()


def test_real_time_passes(tmp_path: Path) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=20, burst_seconds=0.05)
    assert is_let_through(limit)
    until = time.monotonic() + 10
    while not is_let_through(limit):
        assert time.monotonic() < until


def test_lines_that_are_done_are_owed_and_paid_off(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=10)
    limit.owe("key:1", 1_000)
    limit.owe("key:1", 500)
    assert not is_let_through(limit)
    assert is_let_through(limit, who="key:2")
    clock.now += 150 - limit.burst_seconds - 0.2
    assert not is_let_through(limit)
    clock.now += 0.4
    assert is_let_through(limit)


def test_accounts_that_are_paid_off_are_forgotten_and_those_that_owe_are_kept(
    tmp_path: Path, clock: Clock
) -> None:
    limit = RateLimit(tmp_path / "limits.db", lines_per_second=1)
    sign_ins = RateLimit(limit.path, 1 / 6, burst_seconds=60)
    for number in range(1_500):
        sign_ins.take(f"sign-in from 2001:db8::{number:x}")
    limit.owe("key:1/jobs", 1_000)
    assert limit.forget_paid() == 0
    clock.now += 7
    assert limit.forget_paid() == 1_500
    assert not is_let_through(limit, who="key:1/jobs")
    clock.now += 1_000
    assert limit.forget_paid() == 1
    assert is_let_through(limit, 10, who="key:1/jobs")
