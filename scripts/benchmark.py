"""Measures the project: how fast it reads chats and pretrains, what each architecture holds in memory, how fast it is.

It also reckons what training a recipe would cost, and compares all that has peers with them in one table.

python scripts/benchmark.py data --readme recipes/README.md
python scripts/benchmark.py state --readme recipes/README.md
python scripts/benchmark.py model --readme recipes/README.md
python scripts/benchmark.py pretrain --readme recipes/README.md
python scripts/benchmark.py gpu --readme recipes/README.md
python scripts/benchmark.py all --readme README.md
python scripts/benchmark.py budget --recipe recipes/gpt2-124m/pretrain.yaml
"""

from darija_gpt.benchmark.budget import BudgetArguments, benchmark_budget
from darija_gpt.benchmark.data import DataArguments, benchmark_data
from darija_gpt.benchmark.gpu import GpuArguments, benchmark_gpu
from darija_gpt.benchmark.model import ModelArguments, benchmark_model
from darija_gpt.benchmark.pretrain import PretrainSpeedArguments, benchmark_pretrain
from darija_gpt.benchmark.ratios import AllArguments, benchmark_all
from darija_gpt.benchmark.state import StateArguments, benchmark_state
from darija_gpt.recipe import run_one_of


if __name__ == "__main__":
    run_one_of(
        {
            "data": (benchmark_data, DataArguments),
            "state": (benchmark_state, StateArguments),
            "model": (benchmark_model, ModelArguments),
            "pretrain": (benchmark_pretrain, PretrainSpeedArguments),
            "budget": (benchmark_budget, BudgetArguments),
            "gpu": (benchmark_gpu, GpuArguments),
            "all": (benchmark_all, AllArguments),
        },
        __doc__,
    )
