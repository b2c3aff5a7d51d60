"""The demo stage: a model's page in the browser, or the folder of a Space that shows it."""

import ipaddress
import sys
from dataclasses import dataclass, field
from pathlib import Path

from darija_gpt.generation import SamplingArguments
from darija_gpt.loading import Task, find_task


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
    source_prefix: str = field(default="", metadata={"help": "what stands before each text to summarise"})
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
        if self.repo_id is not None and self.space_dir is None:
            raise ValueError(f"repo_id={self.repo_id} is for a Space; say where to write it with space_dir.")


def demo(arguments: DemoArguments) -> None:
    """The demo stage.

    Raises:
        ValueError: If the model cannot be shown, gradio is not installed, or the Space's directory is not empty.
    """
    task = arguments.task or find_task(arguments.model)
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
    )
    if not _is_loopback(arguments.host):
        print(f"warning: {arguments.host} lets everyone on the network use the model.", file=sys.stderr)
    print(f"http://{arguments.host}:{arguments.port} shows {arguments.model} ({task}); Ctrl-C ends.", flush=True)
    launch_page(page, arguments.host, arguments.port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
