"""What is seen of a run: logs for programs; a bar, curves, samples and trackers for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt import durable
from darija_gpt.evaluation.plots.losses import format_losses, plot_losses, tabulate_losses
from darija_gpt.peak_flops import find_peak_flops
from darija_gpt.progress_bar import ProgressBar, Speedometer
from darija_gpt.trackers import Trackers
from darija_gpt.training_log import LOG_FILE, SAMPLES_FILE, TrainingLog, read_log
from darija_gpt.training_step import Step


if TYPE_CHECKING:
    from darija_gpt.training_run import TrainingRun

CURVE_FILE, PICTURE_FILE = "loss_curve.csv", "loss_curve.png"


def draw_loss_curves(output_dir: Path) -> None:
    """Writes loss_curve.csv and loss_curve.png from the training_log.jsonl of a run, and from nothing else.

    Raises:
        OSError: If the disk is full.
    """
    rows = tabulate_losses(read_log(output_dir / LOG_FILE))
    if not rows:
        return
    for name, data in ((CURVE_FILE, format_losses(rows).encode()), (PICTURE_FILE, plot_losses(rows))):
        try:
            durable.replace_bytes(output_dir / name, data)
        except OSError:
            durable.remove(output_dir / f".{name}")
            raise


class NoView:
    """What the other processes of a run show."""

    def show_step(self, step: Step, seconds: float, place: dict[str, Any]) -> None:
        """A step is done."""

    def show_validation(self, number: int, loss: float, bits_per_byte: float) -> None:
        """The model was measured."""

    def show_samples(self, number: int, samples: list[tuple[str, str]]) -> None:
        """The model has written something."""

    def draw_curves(self) -> None:
        """The curves up to here."""

    def sync(self) -> None:
        """Brings the logs to the disk."""

    def close(self) -> None:
        """Leaves all as it is."""


class TrainingView(NoView):
    """What the main process of a run shows.

    Args:
        run (`TrainingRun`):
            At the step from which it goes on.
        config (`dict`):
            What trackers are told of the recipe.
    """

    def __init__(self, run: "TrainingRun", config: dict[str, Any]):
        accelerator, step = run.accelerator, run.progress["step"]
        self.output_dir: Path = run.arguments.output_dir
        self.report_samples: bool = run.arguments.report_samples
        self.log = TrainingLog(self.output_dir / LOG_FILE, step)
        self.samples = TrainingLog(self.output_dir / SAMPLES_FILE, step)
        self.trackers = Trackers(accelerator, self.output_dir, step, config)
        peak = find_peak_flops(accelerator.device, accelerator.mixed_precision)
        self.speedometer = Speedometer(
            run.tokens_per_step, run.flops_per_token, peak and peak * accelerator.num_processes
        )
        self.bar = ProgressBar(run.num_steps, step, self.speedometer)

    def show_step(self, step: Step, seconds: float, place: dict[str, Any]) -> None:
        # No speed in the log: logs of equal runs are equal.
        self.log.append(step.to_record() | place)
        self.speedometer.note(seconds)
        self.bar.show_step(step.loss)
        values = {
            "train/loss": step.loss,
            "train/grad_norm": step.grad_norm,
            "train/learning_rate": step.learning_rate,
            "train/skipped": int(step.skipped is not None),
            **{f"train/{name}": value for name, value in place.items()},
            "speed/tokens_per_second": self.speedometer.tokens_per_second,
        }
        utilization = self.speedometer.utilization
        self.trackers.log(values | ({} if utilization is None else {"speed/mfu": utilization}), step.number)

    def show_validation(self, number: int, loss: float, bits_per_byte: float) -> None:
        self.log.append({"step": number, "validation_loss": loss, "validation_bits_per_byte": bits_per_byte})
        self.bar.show_validation(bits_per_byte)
        self.trackers.log({"validation/loss": loss, "validation/bits_per_byte": bits_per_byte}, number)

    def show_samples(self, number: int, samples: list[tuple[str, str]]) -> None:
        for prompt, text in samples:
            self.samples.append({"step": number, "prompt": prompt, "text": text})
            self.bar.show_sample(number, prompt, text)
        if self.report_samples and samples:
            texts = {f"sample/{place}": f"{prompt} → {text}" for place, (prompt, text) in enumerate(samples, start=1)}
            self.trackers.log(texts, number)

    def draw_curves(self) -> None:
        try:
            draw_loss_curves(self.output_dir)
        except OSError as error:
            if not durable.is_disk_full(error):
                raise
            print(f"warning: no loss curves, the disk is full ({error}); the next ones will hold these steps too")

    def sync(self) -> None:
        self.log.sync()
        self.samples.sync()

    def close(self) -> None:
        self.bar.close()
        self.draw_curves()
        self.trackers.close()
