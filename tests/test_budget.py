"""Budgets: arithmetic done by hand, memory that was really taken, and the tables in READMEs against their files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch.profiler import ProfilerActivity, profile

from darija_gpt import training_step
from darija_gpt.benchmark import budget, gpu
from darija_gpt.benchmark.budget_tables import render_budget, render_duration
from darija_gpt.benchmark.memory import StepMemory, measure_step
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.output import mark_section
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import parse_arguments


ROOT = Path(__file__).resolve().parents[1]
RESULTS = sorted((ROOT / "recipes").glob("*/results/budget.json"))
SMALL = {
    "vocab_size": 4096,
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
}
BATCH_SIZE, LENGTH = 4, 256


def read_recipe(name: str) -> PretrainArguments:
    return parse_arguments(PretrainArguments, ["--config", str(ROOT / "recipes" / name / "pretrain.yaml")])


def take_real_step(fields: dict, *, autocast: bool, activation_checkpointing: bool) -> int:
    """Bytes that PyTorch's allocator held at most in forward and backward, beyond the weights and their gradients."""
    torch.manual_seed(0)
    model = DarijaGPTForCausalLM._from_config(DarijaGPTConfig(**fields), attn_implementation="sdpa").train()
    if activation_checkpointing:
        model.activation_checkpointing_enable()
    input_ids = torch.randint(5, 4096, (BATCH_SIZE, LENGTH))
    position_ids = torch.arange(LENGTH).repeat(BATCH_SIZE, 1)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            loss = model(input_ids, position_ids=position_ids, labels=input_ids, use_cache=False).loss
        loss.backward()
    held, most = 0, 0
    allocations = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(allocations, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


GPT2_LIKE = {"norm": "layernorm", "hidden_act": "gelu_new", "gated_mlp": False, "tie_word_embeddings": False}


@pytest.mark.parametrize(
    ("changes", "autocast", "activation_checkpointing"),
    [
        ({}, True, False),
        (GPT2_LIKE, True, True),
        *(
            pytest.param(changes, autocast, is_checkpointing, marks=pytest.mark.slow)
            for changes in ({}, GPT2_LIKE)
            for autocast in (False, True)
            for is_checkpointing in (False, True)
        ),
    ],
)
def test_the_memory_of_a_step_is_what_a_real_step_takes(changes, autocast, activation_checkpointing):
    fields = {**SMALL, **changes}
    precision = "autocast" if autocast else "no"
    step = measure_step(
        fields, BATCH_SIZE, LENGTH, precision=precision, activation_checkpointing=activation_checkpointing
    )
    taken = take_real_step(fields, autocast=autocast, activation_checkpointing=activation_checkpointing)
    assert step.layers + step.outside == pytest.approx(taken, rel=0.05)


def test_logits_are_most_of_what_a_small_model_keeps():
    step = measure_step(SMALL, BATCH_SIZE, LENGTH, precision="no", activation_checkpointing=True)
    logits = 4 * BATCH_SIZE * LENGTH * SMALL["vocab_size"]
    assert step.outside > 2 * logits > step.layers


def test_layers_that_differ_are_refused():
    fields = {**SMALL, "attention": ["sliding", "sliding", "sliding", "full"]}
    with pytest.raises(ValueError, match="cannot be reckoned"):
        measure_step(fields, BATCH_SIZE, LENGTH, precision="no", activation_checkpointing=False)


def test_weights_gradients_and_moments_are_those_of_a_real_optimizer():
    model = DarijaGPTForCausalLM(DarijaGPTConfig(**SMALL))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.zeros(1, 8, dtype=torch.long), labels=torch.zeros(1, 8, dtype=torch.long)).loss.backward()
    optimizer.step()
    plan = {"parameters": model.num_parameters()}
    reckoned = budget.reckon_whole(plan, StepMemory(layers=0, outside=0), num_gpus=1)
    assert reckoned["weights"] == sum(parameter.nbytes for parameter in model.parameters())
    assert reckoned["gradients"] == sum(parameter.grad.nbytes for parameter in model.parameters())
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert reckoned["moments"] == sum(moment.nbytes for moment in moments)


def test_shards_are_a_share_of_the_weights_and_what_is_gathered():
    plan = {
        "parameters": 1000,
        "num_layers": 4,
        "layer_parameters": 200,
        "gradient_accumulation_steps": 16,
    }
    parts = budget.reckon_sharded(plan, StepMemory(layers=7, outside=8), num_gpus=8)
    # 200 outside and two layers of 200, in bf16; the gradients of all in float32, for they are kept over two passes.
    assert parts == {
        "weights": 500,
        "gradients": 500,
        "moments": 1000,
        "gathered": 2 * 600 + 4000,
        "layers": 7,
        "outside": 8,
    }
    assert budget.reckon_sharded(plan, StepMemory(layers=7, outside=8), num_gpus=16)["gathered"] == 2 * 600 + 4 * 400
    with pytest.raises(ValueError, match="num_gpus=3 does not divide gradient_accumulation_steps=16"):
        budget.split_accumulation(plan, 3)


def test_time_and_price_follow_from_computation():
    plan = {"flops_per_token": 1e9, "tokens": 312e6 * 86_400, "gradient_accumulation_steps": 8}
    arguments = budget.BudgetArguments(recipe=Path("x"), utilization=0.5, dollars_per_hour={"A100": 2.0})
    alone = budget.reckon_time(plan, "A100", 1, arguments, activation_checkpointing=False)
    # Half of 312 TFLOP/s at 1 GFLOP a token.
    assert alone["tokens_per_second"] == pytest.approx(156e3)
    assert alone["days"] == pytest.approx(2000) and alone["dollars"] == pytest.approx(2000 * 24 * 2.0)
    eight = budget.reckon_time(plan, "A100", 8, arguments, activation_checkpointing=False)
    assert eight["days"] == pytest.approx(250) and eight["dollars"] == pytest.approx(alone["dollars"])
    slower = budget.reckon_time(plan, "A100", 1, arguments, activation_checkpointing=True)
    assert slower["days"] == pytest.approx(alone["days"] / 0.75)


def test_durations_are_in_the_largest_unit():
    assert [render_duration(days) for days in (12.34, 0.5, 0.01)] == ["12.3 days", "12.0 hours", "14 minutes"]


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.parents[1].name)
def test_the_budget_in_a_readme_is_that_of_its_file_and_of_its_recipe(results):
    report = json.loads(results.read_text(encoding="utf-8"))
    first, last = mark_section("budget")
    readme = (results.parents[1] / "README.md").read_text(encoding="utf-8")
    assert readme.partition(first)[2].partition(last)[0].strip() == render_budget(report).strip()
    recipe = read_recipe(results.parents[1].name)
    assert report["plan"] == budget.plan_run(recipe, report["assumed"]["unique_tokens"])
    # Hoffmann et al. 2022; and Muennighoff et al. 2023: up to four passes are worth nearly as much as new data.
    assert 19 < report["plan"]["tokens_per_parameter"] < 22 and (report["plan"]["passes"] or 0) < 4
    time = [
        {key: value for key, value in entry.items() if key not in ("gpu", "num_gpus", "gradient_accumulation_steps")}
        for entry in report["time"]
    ]
    arguments = budget.BudgetArguments(recipe=Path("x"), **report["assumed"])
    assert time == [
        budget.reckon_time(
            report["plan"], entry["gpu"], entry["num_gpus"], arguments, report["plan"]["activation_checkpointing"]
        )
        for entry in report["time"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.parents[1].name)
def test_a_budget_that_is_reckoned_anew_is_the_one_that_is_written(results):
    report = json.loads(results.read_text(encoding="utf-8"))
    recipe = results.parents[1] / "pretrain.yaml"
    assert (
        json.loads(json.dumps(budget.reckon_budget(budget.BudgetArguments(recipe=recipe, **report["assumed"]))))
        == report
    )


@pytest.fixture
def tiny_recipe(tmp_path) -> Path:
    path = tmp_path / "tiny" / "pretrain.yaml"
    path.parent.mkdir()
    model = {**SMALL, "vocab_size": 512, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    path.write_text(
        f"dataset: a\ntokenizer: b\noutput_dir: c\nmodel: {json.dumps(model)}\nblock_size: 64\n"
        "per_device_train_batch_size: 2\ngradient_accumulation_steps: 4\nmax_steps: 10\nmixed_precision: 'no'\n"
    )
    return path


def write_readme(path: Path, name: str) -> Path:
    path.write_text("\n".join(["# Title", *mark_section(name), "The end."]))
    return path


def test_a_budget_is_written_with_what_it_comes_from(tiny_recipe, monkeypatch, capsys):
    monkeypatch.setattr(budget, "measure_step", lambda *args, **kwargs: StepMemory(layers=2**30, outside=2**31))
    readme = write_readme(tiny_recipe.parent / "README.md", "budget")
    budget.benchmark_budget(
        budget.BudgetArguments(recipe=tiny_recipe, num_gpus=[1, 4], unique_tokens=1e4, readme=readme)
    )
    text = readme.read_text()
    assert text.startswith("# Title") and text.endswith("The end.")
    assert "| FSDP2 on 4 " in text and "| 4 × H100 SXM " in text and "Assumed, not measured" in text
    report = json.loads((readme.parent / "results" / "budget.json").read_text())
    assert report["plan"]["tokens"] == 10 * 8 * 64 and report["plan"]["passes"] == 10 * 8 * 64 / 1e4
    assert capsys.readouterr().out.startswith(render_budget(report))


def test_a_recipe_without_steps_has_no_budget(tiny_recipe):
    recipe = parse_arguments(PretrainArguments, ["--config", str(tiny_recipe)])
    with pytest.raises(ValueError, match="needs max_steps"):
        budget.plan_run(replace(recipe, max_steps=None), None)


def test_steps_of_a_recipe_are_measured_on_the_machine_that_is_there(tiny_recipe):
    readme = write_readme(tiny_recipe.parent / "README.md", "gpu")
    gpu.benchmark_gpu(
        gpu.GpuArguments(
            recipes=[tiny_recipe],
            attn_implementations=["sdpa", "flash_attention_2"],
            compile=[False],
            num_steps=2,
            peak_teraflops=1.0,
            readme=readme,
        )
    )
    report = json.loads((readme.parent / "results" / "gpu.json").read_text())
    measured, missing = report["results"]
    assert measured["tokens_per_second"] > 0 and measured["peak_bytes"] is None
    assert missing["error"] == "not installed"
    utilization = measured["tokens_per_second"] * measured["flops_per_token"] / 1e12
    assert f" {utilization:.0%} |" in readme.read_text() and report["machine"]["device"] == "cpu"


def test_a_recipe_that_does_not_fit_costs_no_other_its_line(tiny_recipe, monkeypatch):
    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gpu, "build_model", fail)
    arguments = gpu.GpuArguments(recipes=[tiny_recipe])
    recipe = parse_arguments(PretrainArguments, ["--config", str(tiny_recipe)])
    assert gpu.measure_recipe(recipe, "sdpa", False, arguments, Accelerator()) == {"error": "out of memory"}


def test_a_batch_that_fits_in_parts_only_does_not_fit(tiny_recipe, monkeypatch):
    losses = training_step.choose_loss(0.0)

    def need_memory(model, batch):
        if len(batch["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return losses(model, batch)

    monkeypatch.setattr(training_step, "choose_loss", lambda *args: need_memory)
    recipe = parse_arguments(PretrainArguments, ["--config", str(tiny_recipe)])
    measured = gpu.measure_recipe(recipe, "sdpa", False, gpu.GpuArguments(recipes=[tiny_recipe]), Accelerator())
    assert measured == {"error": "out of memory; 1 blocks at a time fit"}


def test_recipes_of_several_precisions_have_no_table_in_common(tiny_recipe):
    other = tiny_recipe.parent.parent / "other" / "pretrain.yaml"
    other.parent.mkdir()
    other.write_text(tiny_recipe.read_text().replace("mixed_precision: 'no'", "mixed_precision: bf16"))
    with pytest.raises(ValueError, match="differ in mixed_precision"):
        gpu.benchmark_gpu(gpu.GpuArguments(recipes=[tiny_recipe, other]))


def test_only_gpus_whose_speed_is_known_have_a_price():
    with pytest.raises(ValueError, match="no speed in bf16 is known of T4"):
        budget.BudgetArguments(recipe=Path("x"), dollars_per_hour={"T4": 0.3})
