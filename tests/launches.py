"""What `accelerate launch` makes of its file, and runs that shard their weights on a CPU."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType
from accelerate.utils.launch import (
    prepare_deepspeed_cmd_env,
    prepare_multi_gpu_env,
    prepare_simple_launcher_cmd_env,
)

from darija_gpt.pretraining import PretrainArguments, pretrain


ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "recipes" / "accelerate").glob("*.yaml"))


def read_launch(command: str) -> dict[str, str]:
    """The environment that a command gives its processes, as far as accelerate adds to it; nothing is started.

    The command is all behind `accelerate launch`. Its paths begin at the root of the repository.
    """
    words = [str(ROOT / word) if word.startswith("recipes/") else word for word in shlex.split(command)]
    arguments, defaults, _ = _validate_launch_command(launch_command_parser().parse_args(words))
    if arguments.use_deepspeed:
        arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
        _, environment = prepare_deepspeed_cmd_env(arguments)
    elif arguments.use_fsdp or arguments.multi_gpu:
        environment = prepare_multi_gpu_env(arguments)
    else:
        _, environment = prepare_simple_launcher_cmd_env(arguments)
    # Of torchrun, which starts the processes.
    workers = {"num_processes": str(arguments.num_processes), "num_machines": str(arguments.num_machines)}
    added = {name: value for name, value in environment.items() if name.startswith(("ACCELERATE_", "FSDP_"))}
    return {**added, **workers}


def pretrain_sharded(
    arguments: PretrainArguments,
    launch: dict[str, str],
    rank: int,
    num_processes: int,
    port: int,
    change: Callable[[int], None],
) -> None:
    """A process of a run that is sharded over CPUs; `change` is called before it begins.

    Accelerate shards over GPUs only. Told that the processes, which talk over gloo, stand on GPUs, it does all else by
    itself: PyTorch's FSDP2 and DeepSpeed work on CPUs, too.
    """
    os.environ |= {
        "ACCELERATE_USE_CPU": "true",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "DS_ACCELERATOR": "cpu",
    }
    from accelerate import PartialState

    is_deepspeed = launch.get("ACCELERATE_USE_DEEPSPEED") == "true"
    PartialState(cpu=True)
    PartialState._shared_state["distributed_type"] = (
        DistributedType.DEEPSPEED if is_deepspeed else DistributedType.MULTI_GPU
    )
    os.environ |= launch | {"ACCELERATE_USE_CPU": "false"}
    change(rank)
    pretrain(arguments)
