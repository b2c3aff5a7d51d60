"""The demo stage: a model's page in the browser, or the folder of a Space that shows it."""

import ipaddress
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from darija_gpt.generation import SamplingArguments
from darija_gpt.loading import Task, find_task
from darija_gpt.records import SUMMARY_FILE, read_record


@dataclass(frozen=True, kw_only=True)
class DemoArguments(SamplingArguments):
    model: str = field(metadata={"help": "directory of a model or of an adapter, or its id on the Hub"})
    base: str | None = field(
        default=None, metadata={"help": "the model that an adapter belongs to, where its own files do not say"}
    )
    task: Task | None = field(
        default=None,
        metadata={"help": "chat, classification or summarization; by default what the model is for"},
    )
    system_prompt: str | None = field(default=None, metadata={"help": "instruction that opens a chat"})
    source_prefix: str = field(
        default="", metadata={"help": "what stands before each text to summarise; as in training by default"}
    )
    max_source_length: int | None = field(
        default=None, metadata={"help": "tokens of a text to summarise, with the prefix; as in training by default"}
    )
    host: str = field(
        default="127.0.0.1", metadata={"help": "address to listen on; 0.0.0.0 lets the whole network in"}
    )
    port: int = field(default=7860, metadata={"help": "port to listen on"})
    space_dir: Path | None = field(
        default=None, metadata={"help": "write a Space for the Hub to this directory, and show nothing here"}
    )
    repo_id: str | None = field(
        default=None, metadata={"help": "the model on the Hub that the Space loads, where model is a directory"}
    )
    license: str = field(default="apache-2.0", metadata={"help": "the license of the Space"})

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.port < 2**16:
            raise ValueError(f"port={self.port} is no port; try 7860.")
        if self.max_source_length is not None and self.max_source_length < 3:
            raise ValueError(f"max_source_length={self.max_source_length} must be above 2; try 512.")
        if self.repo_id is not None and self.space_dir is None:
            raise ValueError(f"repo_id={self.repo_id} is for a Space; say where to write it with space_dir.")


def demo(arguments: DemoArguments) -> None:
    """The demo stage.

    Raises:
        ValueError: If the model cannot be shown, gradio is not installed, or the Space's directory is not empty.
    """
    task = arguments.task or find_task(arguments.model)
    if task == "summarization":
        arguments = recall_training(arguments)
    if arguments.space_dir is not None:
        from darija_gpt.demo.space import build_space

        build_space(arguments, task)
        return
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise ValueError(
            "the page needs gradio, which is not installed; run: pip install -c constraints.txt -e '.[demo]'"
        ) from None
    from darija_gpt.demo.pages import build_page, launch_page

    page = build_page(
        arguments.model,
        task,
        arguments,
        base=arguments.base,
        system_prompt=arguments.system_prompt,
        source_prefix=arguments.source_prefix,
        max_source_length=arguments.max_source_length,
    )
    if not _is_loopback(arguments.host):
        print(f"warning: {arguments.host} lets everyone on the network use the model.", file=sys.stderr)
    print(f"http://{arguments.host}:{arguments.port} shows {arguments.model} ({task}); Ctrl-C ends.", flush=True)
    try:
        launch_page(page, arguments.host, arguments.port)
    except OSError as error:
        raise ValueError(
            f"nothing can listen on port {arguments.port} of {arguments.host}, which may be in use; give another "
            "--port, or another --host."
        ) from error


def recall_training(arguments: DemoArguments) -> DemoArguments:
    """The arguments with what a summariser was trained and measured with, where they say nothing else."""
    training = read_record(Path(arguments.model) / SUMMARY_FILE, "training")
    if training.get("stage") != "finetune_seq2seq":
        return arguments
    recalled = {
        "source_prefix": training["source_prefix"],
        "max_source_length": training["max_source_length"],
        "max_new_tokens": training["max_target_length"],
        "num_beams": training["num_beams"],
    }
    usual = DemoArguments(model=arguments.model)
    unsaid = {name: value for name, value in recalled.items() if getattr(arguments, name) == getattr(usual, name)}
    return replace(arguments, **unsaid)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
