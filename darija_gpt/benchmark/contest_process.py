"""A contestant at work in a process of its own, one turn at a time: so it may have an interpreter of its own.

python -m darija_gpt.benchmark.contest_process train_step litgpt setup.json
"""

import json
import math
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from darija_gpt.benchmark.contests import CONTESTS, ContestSetup


ROOT = Path(__file__).resolve().parents[2]


class ContestantStoppedError(Exception):
    """A contestant that could not do its work, with its last words."""


class ContestantProcess:
    """A contestant that has made ready.

    Args:
        python (`str`):
            The interpreter that has it.
        contest (`str`), name (`str`):
            Keys of `CONTESTS` and of its contestants.
        setup (`Path`):
            Where the setup is written.
        log (`Path`):
            Where what it says goes.

    Raises:
        ContestantStoppedError: If it cannot.
    """

    def __init__(self, python: str, contest: str, name: str, setup: Path, log: Path):
        self.log = log
        # Where an interpreter has nothing of ours, it finds the package beside this one.
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        with log.open("w", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                [python, "-m", "darija_gpt.benchmark.contest_process", contest, name, str(setup)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        self.facts: dict[str, Any] = self._read()

    def take_turn(self) -> float:
        """Does the work, and what is short again and again; gives the seconds that it took each time.

        Raises:
            ContestantStoppedError: If it failed.
        """
        with suppress(BrokenPipeError):  # What it said before it ended is read below.
            self._process.stdin.write("turn\n")
            self._process.stdin.flush()
        return self._read()["seconds"]

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self.close()
        said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise ContestantStoppedError(said[-1] if said else "it said nothing")


def serve(contest: str, name: str, setup: str) -> None:
    """Makes ready, and takes a turn for each line that comes."""
    # Libraries may print; what is written here is for the other process alone.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    contest_setup = ContestSetup.load(Path(setup))
    turn, facts = CONTESTS[contest].contestants[name].make_ready(contest_setup)
    print(json.dumps(facts), file=answers, flush=True)
    repeats = 1
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(repeats):
            turn()
        seconds = (time.perf_counter() - started) / repeats
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)
        repeats = repeats if repeats > 1 else max(1, math.ceil(contest_setup.turn_seconds / seconds))


if __name__ == "__main__":
    serve(*sys.argv[1:])
