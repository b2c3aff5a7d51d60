"""The runs of an ablation: each a process, several at a time, each result kept as soon as it is there."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from darija_gpt.ablation.plan import find_changes
from darija_gpt.output import write_text
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.records import SUMMARY_FILE
from darija_gpt.run_lock import is_locked
from darija_gpt.training_log import LOG_FILE


SECONDS_BETWEEN_LOOKS = 0.5
STOPPED_BY = (signal.SIGTERM, signal.SIGHUP)
LAST_WORDS = 400  # of a log, in characters
LEAST_PROGRESS = 0.01  # of a run: less tells no pace


@dataclass(frozen=True, eq=False)
class Run:
    """A recipe with a seed: where it trains, and where its result is kept."""

    name: str
    seed: int
    recipe: Mapping[str, Any]
    directory: Path
    result: Path
    description: Mapping[str, Any]  # what the result says beside what was measured

    @property
    def label(self) -> str:
        return f"{self.name}, seed {self.seed}"


class Progress:
    """How far the runs are, those on the way by the share of their steps, and the time that the others will take.

    Args:
        runs (`Sequence[Run]`):
            All of them, those among them that are done.
    """

    def __init__(self, runs: Sequence[Run]):
        self.runs = runs
        self._ended = {run for run in runs if run.result.is_file()}
        self._begun, self._before = time.monotonic(), self.look()

    def finish(self, run: Run) -> None:
        """Counts a run as done, also one that failed."""
        self._ended.add(run)

    def look(self) -> float:
        """Runs that are done, with the shares of those that are not."""
        return len(self._ended) + sum(_read_share(run) for run in self.runs if run not in self._ended)

    def spell_time(self) -> str:
        """What is left, at the pace that the runs have had since this was made."""
        done = self.look()
        if done - self._before < LEAST_PROGRESS:
            return "time left unknown yet"
        seconds = (len(self.runs) - done) * (time.monotonic() - self._begun) / (done - self._before)
        return f"about {spell_duration(seconds)} left"

    def spell(self) -> str:
        """Both, in words."""
        return f"{len(self._ended)} of {len(self.runs)} runs done, {self.spell_time()}"


def spell_duration(seconds: float) -> str:
    """`2 h 5 min`, `12 min` or `40 s`."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{round(seconds)} s"


def run_all(runs: Sequence[Run], num_processes: int) -> list[Run]:
    """Does the runs that have no result yet, and goes on with those that were begun.

    Args:
        runs (`Sequence[Run]`):
            In the order in which they are begun.
        num_processes (`int`):
            Runs at a time; they share the processor's cores.

    Returns:
        `list[Run]`: those that failed, each of which said why on stderr.
    """
    waiting = [run for run in runs if not run.result.is_file()]
    progress = Progress(runs)
    running: dict[Run, subprocess.Popen] = {}
    cores: dict[Run, set[int]] = {}
    failed = []
    free_cores = _share_cores(num_processes)
    bar_format = "{l_bar}{bar}| {n:.1f} of {total} runs [{elapsed}]{postfix}"
    with tqdm(total=len(runs), desc="runs", bar_format=bar_format, disable=None) as bar, _stop_all(running):
        while waiting or running:
            while len(running) < num_processes and (run := _choose_next(waiting)):
                if run.result.is_file():  # by another command on the same directory
                    progress.finish(run)
                    continue
                cores[run] = free_cores.pop()
                running[run] = _start(run, cores[run])
            time.sleep(SECONDS_BETWEEN_LOOKS)
            for run in [run for run, process in running.items() if process.poll() is not None]:
                process = running.pop(run)
                free_cores.append(cores[run])
                if process.returncode == 0:
                    bits = _keep_result(run)["bits_per_byte"]["all"]
                    progress.finish(run)
                    bar.write(f"{run.label}: {bits:.4f} bits per byte; {progress.spell()}")
                elif is_locked(run.directory):
                    waiting.append(run)  # Another command began it in the same moment.
                else:
                    failed.append(run)
                    progress.finish(run)
                    bar.write(f"{run.label} failed: {_read_last_words(run)}", file=sys.stderr)
            bar.n = progress.look()
            where = "; ".join(f"{run.label} {_read_progress(run)}" for run in running)
            bar.set_postfix_str(f"{progress.spell_time()}; {where}")
    return failed


def _choose_next(waiting: list[Run]) -> Run | None:
    """Takes the first run that no other command is at; None where there is none."""
    for place, run in enumerate(waiting):
        if not is_locked(run.directory):
            return waiting.pop(place)
    return None


def read_results(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The results that are there."""
    return [read_result(run.result) for run in runs if run.result.is_file()]


def read_others(results: Sequence[Mapping[str, Any]], directory: Path) -> list[dict[str, Any]]:
    """The results of a directory that are none of these, but of the same texts as all of them."""
    own = {(result["name"], result["seed"]) for result in results}
    texts = {result["data"] for result in results}
    found = [read_result(path) for path in sorted(directory.glob("*_seed*.json"))]
    return [each for each in found if (each["name"], each["seed"]) not in own and {each["data"]} == texts]


def read_result(path: Path) -> dict[str, Any]:
    """What a run left.

    Raises:
        ValueError: If it is not what a run leaves.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        is_whole = (
            math.isfinite(result["bits_per_byte"]["all"]) and {"name", "seed", "recipe", "data"} <= result.keys()
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        is_whole = False
    if not is_whole:
        raise ValueError(f"{path} is damaged; remove it, and the same command makes it again.")
    return result


def check_recipe(run: Run, path: Path) -> None:
    """Refuses a result that another recipe gave than the run's is now.

    Raises:
        ValueError: With the differences.
    """
    if not path.is_file():
        return
    changes = find_changes(_read_recipe(path), run.description["recipe"])
    if changes:
        spelt = ", ".join(f"{key} (now {value})" for key, value in changes.items())
        raise ValueError(
            f"{path} is of another recipe than {run.name} is now; it differed in {spelt}. Remove the file and what "
            f"{run.directory.parent} holds for it to be made again, or choose another --results and --output_dir."
        )


def _read_recipe(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["recipe"]
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{path} is damaged; remove it, and the same command makes it again.") from None


def _share_cores(num_processes: int) -> list[set[int]]:
    """The cores of each process; where the system cannot be told, or there are too few, all have none of their own."""
    if not hasattr(os, "sched_getaffinity"):
        return [set() for _ in range(num_processes)]
    mine = sorted(os.sched_getaffinity(0))
    each = len(mine) // num_processes
    return [set(mine[number * each : (number + 1) * each]) for number in range(num_processes)]


def _start(run: Run, cores: set[int]) -> subprocess.Popen:
    run.directory.parent.mkdir(parents=True, exist_ok=True)
    recipe = run.directory.with_name(f"{run.directory.name}.yaml")
    recipe.write_text(yaml.safe_dump({**run.recipe, "seed": run.seed, "output_dir": str(run.directory)}), "utf-8")
    with _log_of(run).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "darija_gpt.ablation.one_run", str(recipe)],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process alone, which ends its runs in order.
        )
    if cores:
        os.sched_setaffinity(process.pid, cores)
    return process


@contextmanager
def _stop_all(running: Mapping[Run, subprocess.Popen]) -> Iterator[None]:
    """Lets runs that are on the way write a checkpoint when this process is stopped."""
    # The other one comes when a terminal is closed.
    previous = {each: signal.signal(each, lambda number, _: sys.exit(128 + number)) for each in STOPPED_BY}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def _keep_result(run: Run) -> dict[str, Any]:
    measured = json.loads((run.directory / "result.json").read_text(encoding="utf-8"))
    run.result.parent.mkdir(parents=True, exist_ok=True)
    record = {"name": run.name, "seed": run.seed, **run.description, **measured}
    write_text(run.result, json.dumps(record, indent=2) + "\n")
    return record


def _log_of(run: Run) -> Path:
    return run.directory.with_name(f"{run.directory.name}.log")


def _read_last_words(run: Run) -> str:
    """Its error, or whatever it said last."""
    lines = _log_of(run).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = [line for line in lines if line.startswith("error: ")] or lines or ["it said nothing"]
    return said[-1][-LAST_WORDS:]


def _read_progress(run: Run) -> str:
    """The step that a run is at, in words."""
    if (run.directory / SUMMARY_FILE).is_file():
        return "is measured"
    record = _read_record(run)
    return f"at step {record['step']:,}" if record else "begins"


def _read_share(run: Run) -> float:
    """How much of a run's steps is done."""
    record = _read_record(run)
    if record is None:
        return 0.0
    if run.recipe.get("max_steps"):
        return min(1.0, record["step"] / run.recipe["max_steps"])
    return min(1.0, record["epoch"] / run.recipe.get("num_train_epochs", PretrainArguments.num_train_epochs))


def _read_record(run: Run) -> dict[str, Any] | None:
    """What a run's log says of its last step, where it says something."""
    try:
        with (run.directory / LOG_FILE).open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 2048))
            lines = log.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:  # The first of these may be half a line, and the last one as yet.
            continue
        if "epoch" in record:
            return record
    return None
