"""The progress bar: what a run tells the person who watches it."""

from collections import deque

from tqdm import tqdm

from darija_gpt.display import neutralize_control_characters


# Of a speed: long enough to be steady, short enough to show what happens now.
WINDOW_STEPS = 50
MAX_SHOWN_CHARACTERS = 160
_FORMAT = "{percentage:3.0f}%|{bar:12}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"


class Speedometer:
    """How fast the last steps were, without validation and checkpoints.

    Args:
        tokens_per_step (`int`):
            Of all processes.
        flops_per_token (`int`):
            Of forward and backward pass.
        peak_flops (`float`, *optional*):
            What the processors of all processes compute in a second at best.
    """

    def __init__(self, tokens_per_step: int, flops_per_token: int, peak_flops: float | None):
        self.tokens_per_step, self.flops_per_token, self.peak_flops = tokens_per_step, flops_per_token, peak_flops
        self._seconds: deque[float] = deque(maxlen=WINDOW_STEPS)

    def note(self, seconds: float) -> None:
        """Takes in how long a step took."""
        self._seconds.append(seconds)

    @property
    def tokens_per_second(self) -> float:
        """Of the last steps."""
        return len(self._seconds) * self.tokens_per_step / sum(self._seconds)

    @property
    def utilization(self) -> float | None:
        """Model FLOPs utilisation, from 0 to 1; None where the peak is not known."""
        return self.tokens_per_second * self.flops_per_token / self.peak_flops if self.peak_flops else None


class ProgressBar:
    """The steps of a run on the terminal: losses, speed, and the time that is left.

    Args:
        num_steps (`int`), step (`int`):
            Of the run, and those that are done.
        speedometer (`Speedometer`):
            Gives the speed.
    """

    def __init__(self, num_steps: int, step: int, speedometer: Speedometer):
        self.speedometer = speedometer
        self.shown: dict[str, str] = {}
        self.bar = tqdm(total=num_steps, initial=step, bar_format=_FORMAT, dynamic_ncols=True, mininterval=1.0)

    def show_step(self, loss: float) -> None:
        """Moves the bar."""
        utilization = self.speedometer.utilization
        self.shown |= {"loss": f"{loss:.3f}", "tokens/s": f"{self.speedometer.tokens_per_second:,.0f}"}
        if utilization is not None:
            self.shown["MFU"] = f"{utilization:.1%}"
        self._describe()
        self.bar.update()

    def show_validation(self, bits_per_byte: float) -> None:
        """Goes on showing a validation."""
        self.shown["validation"] = f"{bits_per_byte:.3f} bits/byte"
        self._describe()

    def show_sample(self, step: int, prompt: str, text: str) -> None:
        """A line above the bar; a model may write what a terminal would obey."""
        line = " ".join(neutralize_control_characters(f"step {step:,}: {prompt} → {text}").split())
        is_longer = len(line) > MAX_SHOWN_CHARACTERS
        self.bar.write(line[: MAX_SHOWN_CHARACTERS - 1] + "…" if is_longer else line)

    def close(self) -> None:
        """Leaves the bar on the screen as it is."""
        self.bar.close()

    def _describe(self) -> None:
        order = ("loss", "validation", "tokens/s", "MFU")
        self.bar.set_postfix({name: self.shown[name] for name in order if name in self.shown}, refresh=False)
