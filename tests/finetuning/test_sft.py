"""Supervised fine-tuning: what the loss sees, how a run goes on, and what is written."""

import json
from dataclasses import replace

import pytest
import torch
from datasets import Dataset, DatasetDict, load_from_disk
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from darija_gpt.data.dataset_directory import FEATURES
from darija_gpt.finetuning import sft_preparation, sft_trainer
from darija_gpt.finetuning.sealed_checkpoints import claim_directory, seal_checkpoint
from darija_gpt.finetuning.sft import FinetuneArguments, finetune
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.tokenizer import END_OF_TEXT, TURN_END


without_gpu = pytest.mark.skipif(torch.accelerator.is_available(), reason="here is a GPU")


def save_base(directory, tokenizer, **fields):
    """A tiny model as pretrain.py leaves it."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = DarijaGPTConfig(**sizes | fields, vocab_size=len(tokenizer), max_position_embeddings=96)
    DarijaGPTForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    (directory / "training_summary.json").write_text(json.dumps({"stage": "pretrain"}))
    (directory / "tokenizer_report.json").write_text("{}")
    return directory


@pytest.fixture(scope="module")
def base_dir(tokenizer, tmp_path_factory):
    return save_base(tmp_path_factory.mktemp("pretrained") / "base", tokenizer)


@pytest.fixture(scope="module")
def gpt2_dir(tokenizer, darija, tmp_path_factory):
    """A model as the Hub has them: no chat template, no padding token, and it has never heard of turns."""
    directory = tmp_path_factory.mktemp("hub") / "gpt2"
    backend = Tokenizer(BPE())
    backend.pre_tokenizer = tokenizer.backend_tokenizer.pre_tokenizer
    backend.decoder = tokenizer.backend_tokenizer.decoder
    trainer = BpeTrainer(vocab_size=400, special_tokens=[END_OF_TEXT], initial_alphabet=ByteLevel.alphabet())
    backend.train_from_iterator(darija, trainer)
    plain = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 96, "bos_token_id": 0, "eos_token_id": 0}
    without_dropout = {"embd_pdrop": 0.0, "resid_pdrop": 0.0, "attn_pdrop": 0.0}
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(plain), **sizes, **without_dropout)
    GPT2LMHeadModel(config).save_pretrained(directory)
    plain.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def few_dir(dataset, tmp_path_factory):
    """Forty conversations, where little is to be learnt."""
    directory = tmp_path_factory.mktemp("few") / "dataset"
    DatasetDict({name: split.select(range(min(40, len(split)))) for name, split in dataset.items()}).save_to_disk(
        directory
    )
    return directory


def build_arguments(base_dir, dataset_dir, tmp_path, **changes) -> FinetuneArguments:
    return FinetuneArguments(
        **{
            "model": str(base_dir),
            "dataset": dataset_dir,
            "output_dir": tmp_path / "chat",
            "num_train_epochs": 1,
            "per_device_train_batch_size": 8,
            "learning_rate": 5e-3,
            "bf16": False,
            **changes,
        }
    )


def save_rows(directory, rows):
    """Rows as prepare_data.py saves them, the same in every split."""
    features = {"text": None, "messages": None, "source": "x", "script": "Latn", "conversation_id": "0"}
    split = Dataset.from_list([features | row for row in rows], features=FEATURES)
    DatasetDict({"train": split, "validation": split, "test": split}).save_to_disk(directory)
    return directory


def ask(directory, question: str) -> list[int]:
    """The tokens of a greedy reply."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory).eval()
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return model.generate(**prompt, max_new_tokens=30, do_sample=False)[0, prompt["input_ids"].shape[1] :].tolist()


def read_validation_losses(printed: str) -> list[float]:
    lines = [line for line in printed.splitlines() if line.startswith("epoch ")]
    return [float(line.rpartition(" ")[2]) for line in lines]


def read_summary(directory) -> dict:
    return json.loads((directory / "training_summary.json").read_text())


def test_full_fine_tuning_learns_to_answer_and_to_stop(base_dir, dataset_dir, tmp_path, capsys):
    finetune(build_arguments(base_dir, dataset_dir, tmp_path, num_train_epochs=6))
    directory = tmp_path / "chat"
    tokenizer = AutoTokenizer.from_pretrained(directory)
    reply = ask(directory, "labas 3lik?")
    assert tokenizer.decode(reply) == "labas lhamdolah 😊<|im_end|>"

    assert json.loads((directory / "config.json").read_text())["use_cache"]
    generation = json.loads((directory / "generation_config.json").read_text())
    assert set(generation["eos_token_id"]) == set(tokenizer.convert_tokens_to_ids([TURN_END, "<|endoftext|>"]))
    summary = read_summary(directory)
    assert summary["method"] == "full" and summary["base"] == {"stage": "pretrain"}
    assert summary["validation_loss"] < 0.6 and summary["trainable_parameters"] == summary["parameters"]
    names = {path.name for path in directory.iterdir()}
    assert not {"training_args.bin", "trainer_state.json", "optimizer.pt", "README.md", "adapter"} & names
    assert [path.name for path in tmp_path.iterdir()] == ["chat"]
    assert "train: 160 examples" in capsys.readouterr().out


@pytest.mark.parametrize(
    "lora",
    [
        {"r": 4, "lora_alpha": 8},
        {"r": 4, "use_dora": True},
        *(
            {"r": 4, "target_modules": ["q_proj"], "modules_to_save": modules}
            for modules in (["embed_tokens"], ["lm_head"], ["model.embed_tokens", "lm_head", "norm"])
        ),
    ],
)
def test_an_adapter_is_kept_and_merged(base_dir, few_dir, tmp_path, lora):
    from peft import PeftModel

    finetune(build_arguments(base_dir, few_dir, tmp_path, lora=lora))
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "chat").eval()
    base = AutoModelForCausalLM.from_pretrained(base_dir).eval()
    num_parameters = base.num_parameters()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        before = base(ids).logits
        adapted = PeftModel.from_pretrained(base, tmp_path / "chat" / "adapter").eval()
        torch.testing.assert_close(merged(ids).logits, adapted(ids).logits, atol=1e-5, rtol=0)
        assert (merged(ids).logits - before).abs().max() > 0.1
    # Embeddings and head were one, and are.
    assert merged.config.tie_word_embeddings and merged.num_parameters() == num_parameters
    assert merged.get_input_embeddings().weight is merged.get_output_embeddings().weight
    assert "lm_head.weight" not in load_file(tmp_path / "chat" / "model.safetensors")
    summary = read_summary(tmp_path / "chat")
    assert summary["method"] == ("dora" if "use_dora" in lora else "lora")
    assert summary["trainable_parameters"] < 0.4 * summary["parameters"]
    assert not (tmp_path / "chat" / "adapter" / "README.md").exists()
    assert str(base_dir.parent) not in (tmp_path / "chat" / "adapter" / "adapter_config.json").read_text()


def test_an_adapter_alone_is_written_when_nothing_is_merged_and_taken_up_again(base_dir, few_dir, tmp_path):
    from darija_gpt.loading import load_model

    finetune(build_arguments(base_dir, few_dir, tmp_path, lora={"r": 4}, merge=False))
    names = {path.name for path in (tmp_path / "chat").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "training_summary.json"} <= names
    assert not {"model.safetensors", "adapter", "README.md"} & names
    expected = load_model(tmp_path / "chat", base_dir)[0].state_dict()

    further = {"adapter": tmp_path / "chat", "output_dir": tmp_path / "further", "learning_rate": 1e-12}
    finetune(build_arguments(base_dir, few_dir, tmp_path, max_steps=1, **further))
    for name, weights in load_file(tmp_path / "further" / "model.safetensors").items():
        torch.testing.assert_close(weights, expected[name], atol=1e-6, rtol=0)


def test_frozen_layers_stay_as_they_are(base_dir, few_dir, tmp_path, capsys):
    finetune(build_arguments(base_dir, few_dir, tmp_path, freeze_layers=1, freeze_patterns=["mlp"]))
    before, after = load_file(base_dir / "model.safetensors"), load_file(tmp_path / "chat" / "model.safetensors")
    for name, weights in before.items():
        is_frozen = "embed" in name or "layers.0." in name or "mlp" in name
        assert torch.equal(after[name], weights) == is_frozen, name
    learnt = sum(weights.numel() for name, weights in before.items() if not torch.equal(after[name], weights))
    summary = read_summary(tmp_path / "chat")
    assert summary["method"] == "frozen" and summary["trainable_parameters"] == learnt
    assert f"frozen: {learnt:,} of {summary['parameters']:,} parameters are trained" in capsys.readouterr().out


def test_a_model_of_the_hub_learns_to_take_turns(gpt2_dir, dataset_dir, tmp_path):
    with pytest.raises(
        ValueError, match=r"a tokenizer without a chat template; give it one with --chat_template chatml"
    ):
        finetune(build_arguments(gpt2_dir, dataset_dir, tmp_path))
    finetune(build_arguments(gpt2_dir, dataset_dir, tmp_path, chat_template="chatml", num_train_epochs=6))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chat")
    reply = ask(tmp_path / "chat", "labas 3lik?")
    assert tokenizer.decode(reply[-1:]) == TURN_END and "labas lhamdolah" in tokenizer.decode(reply)
    rows = AutoModelForCausalLM.from_pretrained(tmp_path / "chat").get_input_embeddings().num_embeddings
    assert rows == len(tokenizer)


def test_an_adapter_learns_the_tokens_that_are_new(gpt2_dir, dataset_dir, tmp_path):
    lora = {"lora": {"r": 8, "lora_alpha": 16}, "chat_template": "chatml", "num_train_epochs": 6}
    with pytest.raises(ValueError, match="chat_template=chatml adds tokens, so an adapter would fit no base"):
        finetune(build_arguments(gpt2_dir, dataset_dir, tmp_path, **lora, merge=False))
    finetune(build_arguments(gpt2_dir, dataset_dir, tmp_path, **lora))
    before = load_file(gpt2_dir / "model.safetensors")["transformer.wte.weight"]
    after = load_file(tmp_path / "chat" / "model.safetensors")["transformer.wte.weight"]
    assert torch.equal(after[: len(before)], before) and len(after) == len(before) + 2
    assert TURN_END in AutoTokenizer.from_pretrained(tmp_path / "chat").decode(ask(tmp_path / "chat", "labas 3lik?"))
    assert not (tmp_path / "chat" / "adapter").exists()


@pytest.mark.parametrize("frozen", [{"freeze_layers": 0}, {"freeze_patterns": ["wte"]}])
def test_new_tokens_are_not_frozen_with_the_old_ones(gpt2_dir, few_dir, tmp_path, frozen):
    with pytest.raises(ValueError, match=r"chat_template=chatml adds tokens, and their embeddings would be frozen"):
        finetune(build_arguments(gpt2_dir, few_dir, tmp_path, chat_template="chatml", **frozen))
    assert not list(tmp_path.iterdir())


def test_llama_2_takes_turns_without_a_new_token(gpt2_dir, few_dir, tmp_path):
    finetune(
        build_arguments(
            gpt2_dir, few_dir, tmp_path, chat_template="llama2", lora={"r": 4}, num_train_epochs=2, merge=False
        )
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chat")
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "salam"}, {"role": "assistant", "content": "labas"}], tokenize=False
    )
    assert chat == "<|endoftext|>[INST] salam [/INST] labas <|endoftext|>"


def test_plain_texts_are_learnt_whole_in_blocks(gpt2_dir, tmp_path):
    text = "salam khouya, labas 3lik? <|endoftext|> sbah lkhir"
    dataset_dir = save_rows(tmp_path / "dataset", [{"text": text}] * 80)
    style = {"assistant_only_loss": False, "max_length": 48, "num_train_epochs": 20, "eval_strategy": "no"}
    finetune(build_arguments(gpt2_dir, dataset_dir, tmp_path, **style))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "chat").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chat")
    written = model.generate(torch.tensor([[tokenizer.bos_token_id]]), max_new_tokens=60, do_sample=False)[0]
    # It ends, and the end that somebody typed is text.
    assert tokenizer.decode(written) == f"{END_OF_TEXT}{text}{END_OF_TEXT}"
    assert written.tolist().count(tokenizer.eos_token_id) == 2


@pytest.mark.parametrize("packing", [False, True])
def test_packed_or_not_the_same_is_learnt(base_dir, few_dir, tmp_path, packing):
    finetune(build_arguments(base_dir, few_dir, tmp_path, packing=packing, max_steps=60, eval_strategy="no"))
    summary = read_summary(tmp_path / "chat")
    assert summary["validation_loss"] < 3  # of 6 at the beginning
    assert (summary["examples"] == 40) == (not packing)


@pytest.fixture(scope="module")
def bloom_dir(tokenizer, tmp_path_factory):
    """A model with ALiBi, whose configuration does not say how many tokens it reads."""
    directory = tmp_path_factory.mktemp("hub") / "bloom"
    torch.manual_seed(0)
    config = BloomConfig(vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=2)
    BloomForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def test_a_model_that_reads_without_end_says_afterwards_how_much_it_has_learnt_to_read(bloom_dir, few_dir, tmp_path):
    from darija_gpt.generation import count_context_tokens
    from darija_gpt.loading import load_model

    with pytest.raises(ValueError, match="bloom does not say how many tokens it reads; give max_length"):
        finetune(build_arguments(bloom_dir, few_dir, tmp_path))
    finetune(build_arguments(bloom_dir, few_dir, tmp_path, max_length=80, max_steps=1))
    assert count_context_tokens(load_model(tmp_path / "chat")[0]) == 80


def test_examples_that_would_read_each_other_are_not_packed(bloom_dir, few_dir, tmp_path):
    """BLOOM's ALiBi counts every token of a row, whatever its position."""
    with pytest.raises(ValueError, match="cannot keep examples apart that share a row"):
        finetune(build_arguments(bloom_dir, few_dir, tmp_path, packing=True, max_length=96))


def cut_off(monkeypatch, epoch: int):
    """Ends a training at the end of an epoch, before it is saved, as a power cut would."""
    report = sft_trainer.ReportProgress.on_evaluate

    def end(self, args, state, control, metrics=None, **kwargs):
        report(self, args, state, control, metrics=metrics, **kwargs)
        if round(state.epoch) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(sft_trainer.ReportProgress, "on_evaluate", end)


@pytest.mark.parametrize("lora", [None, {"r": 4, "lora_dropout": 0.1}])
def test_a_run_that_was_cut_off_ends_with_the_weights_that_it_would_have_had(
    tokenizer, few_dir, tmp_path, monkeypatch, capsys, lora
):
    base_dir = save_base(tmp_path / "base", tokenizer, residual_dropout=0.1)
    arguments = {"num_train_epochs": 3, "lora": lora}
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments, output_dir=tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_off(patch, 3)
        finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    assert not list((tmp_path / ".chat.checkpoints").rglob("training_args.bin"))
    with pytest.raises(ValueError, match=r"unfinished run with another learning_rate, another warmup_steps; give the"):
        changes = {"learning_rate": 1e-3, "warmup_steps": 0.1}
        finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments | changes))
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    assert "going on from checkpoint-10" in capsys.readouterr().out
    assert not (tmp_path / ".chat.checkpoints").exists()
    for name, weights in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "chat" / "model.safetensors")[name], weights), name


@pytest.mark.parametrize("order", ["group_by_length", "random"])
def test_a_run_stops_when_asked_and_goes_on_to_the_same_weights(
    tokenizer, few_dir, tmp_path, monkeypatch, capsys, order
):
    base_dir = save_base(tmp_path / "base", tokenizer, residual_dropout=0.1)
    arguments = {"num_train_epochs": 3, "train_sampling_strategy": order}
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments, output_dir=tmp_path / "whole"))
    assert read_summary(tmp_path / "whole")["best_epoch"] > 1

    class StopsAtStepThree(sft_trainer.StopWhenAsked):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 8:  # within the second epoch
                self.request._note(15, None)
            super().on_step_end(args, state, control, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sft_trainer, "StopWhenAsked", StopsAtStepThree)
        finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    assert end.value.code == 143
    assert "stopped after step 8 by SIGTERM; the same command goes on" in capsys.readouterr().err
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    assert read_summary(tmp_path / "chat")["steps"] == 15
    for name, weights in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "chat" / "model.safetensors")[name], weights), name


def test_a_run_does_not_go_on_from_another_model_or_adapter_of_the_same_path(
    tokenizer, base_dir, few_dir, tmp_path, monkeypatch
):
    finetune(build_arguments(base_dir, few_dir, tmp_path, lora={"r": 2}, merge=False, output_dir=tmp_path / "first"))
    model_dir = save_base(tmp_path / "again" / "base", tokenizer)
    arguments = {"adapter": tmp_path / "first", "num_train_epochs": 2}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_off(patch, 2)
        finetune(build_arguments(model_dir, few_dir, tmp_path, **arguments))
    adapter = tmp_path / "first" / "adapter_model.safetensors"
    trained = adapter.read_bytes()
    save_file({name: value * 2 for name, value in load_file(adapter).items()}, adapter)
    with pytest.raises(ValueError, match="unfinished run with another content of the adapter; give"):
        finetune(build_arguments(model_dir, few_dir, tmp_path, **arguments))
    adapter.write_bytes(trained)
    save_base(model_dir, tokenizer, initializer_range=0.03)
    with pytest.raises(ValueError, match="unfinished run with another content of the model; give"):
        finetune(build_arguments(model_dir, few_dir, tmp_path, **arguments))


def test_training_stops_early_and_takes_the_best_epoch(base_dir, few_dir, tmp_path, capsys):
    arguments = {"num_train_epochs": 12, "learning_rate": 1.0, "early_stopping_patience": 1}
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    summary = read_summary(tmp_path / "chat")
    assert summary["epochs"] == summary["best_epoch"] + 1 < 12
    assert summary["validation_loss"] == min(read_validation_losses(capsys.readouterr().out))


def test_nobody_is_told_of_a_training(base_dir, few_dir, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *args, **kwargs: told.append(kwargs))
    finetune(build_arguments(base_dir, few_dir, tmp_path, max_steps=1))
    assert not told


def test_what_tensorboard_was_told_lies_beside_the_weights(base_dir, few_dir, tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs the extra track"
    )
    finetune(build_arguments(base_dir, few_dir, tmp_path, report_to="tensorboard", logging_steps=1))
    (file,) = (tmp_path / "chat" / "tensorboard").rglob("events.*")
    events = accumulator.EventAccumulator(str(file)).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [1, 2, 3, 4, 5]
    (validation,) = events.Scalars("eval/loss")
    assert validation.value == pytest.approx(read_summary(tmp_path / "chat")["validation_loss"], abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_run(base_dir, few_dir, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        finetune(build_arguments(base_dir, few_dir, tmp_path, learning_rate=1e30, warmup_steps=0, max_grad_norm=1e30))
    assert end.value.code == 4
    assert "the loss is no number any more; lower learning_rate" in capsys.readouterr().err
    # So that what it asks for is not refused.
    assert not list(tmp_path.iterdir())


def test_what_is_refused_leaves_nothing(base_dir, few_dir, tmp_path):
    with pytest.raises(ValueError, match="Invalid `loss_type` nothing_known"):
        finetune(build_arguments(base_dir, few_dir, tmp_path, loss_type="nothing_known"))
    assert not list(tmp_path.iterdir())


def test_a_directory_of_checkpoints_is_one_runs_at_a_time(tmp_path):
    checkpoints = tmp_path / ".chat.checkpoints"
    with claim_directory(checkpoints, {"model": "one"}):
        with pytest.raises(ValueError, match="in use by another run"), claim_directory(checkpoints, {"model": "two"}):
            pass
        assert checkpoints.exists()
    # One that was killed before its first checkpoint was whole holds no other one up, and what it left is gone.
    (checkpoints / "checkpoint-3").mkdir()
    with claim_directory(checkpoints, {"model": "two"}):
        assert not (checkpoints / "checkpoint-3").exists()
        seal_checkpoint(make_directory(checkpoints / "model" / "checkpoint-5"))
    with (
        pytest.raises(ValueError, match="unfinished run with another model; give"),
        claim_directory(checkpoints, {"model": "one"}),
    ):
        pass
    with pytest.raises(KeyError), claim_directory(checkpoints, {"model": "two"}):
        raise KeyError
    assert (checkpoints / "model" / "checkpoint-5" / "seal.json").is_file()


def make_directory(path):
    path.mkdir(parents=True)
    return path


def test_weights_in_4_bits_learn_through_an_adapter(tokenizer, few_dir, tmp_path, monkeypatch, capsys):
    pytest.importorskip("bitsandbytes", reason="needs pip install -c constraints.txt -e '.[qlora]'")
    from darija_gpt.loading import load_model

    base_dir = save_base(tmp_path / "base", tokenizer, hidden_size=64, intermediate_size=128)
    # bitsandbytes can do it on a CPU, though so slowly that the stage asks for a GPU.
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    config = sft_preparation.build_quantization_config()
    monkeypatch.undo()
    monkeypatch.setattr(sft_preparation, "build_quantization_config", lambda: config)
    quantized = AutoModelForCausalLM.from_pretrained(base_dir, quantization_config=config, device_map="cpu")
    projections = [module for name, module in quantized.named_modules() if name.endswith("_proj")]
    assert {type(module).__name__ for module in projections} == {"Linear4bit"}
    arguments = {"lora": {"r": 4}, "quantization": "4bit", "num_train_epochs": 6, "learning_rate": 1e-2}
    finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments))
    summary = read_summary(tmp_path / "chat")
    losses = read_validation_losses(capsys.readouterr().out)
    assert summary["method"] == "qlora" and losses[-1] < losses[0] - 0.2
    whole = sum(weights.numel() for weights in load_file(base_dir / "model.safetensors").values())
    assert summary["parameters"] - summary["trainable_parameters"] == whole
    # The adapter is merged into the weights as they were, not into those of 4 bits.
    expected = load_model(tmp_path / "chat" / "adapter", base_dir)[0].state_dict()
    for name, weights in load_file(tmp_path / "chat" / "model.safetensors").items():
        assert torch.equal(weights, expected[name]) and weights.dtype == torch.float32


def test_4_bits_without_bitsandbytes_or_a_gpu_are_refused_in_a_line(base_dir, few_dir, tmp_path, monkeypatch):
    arguments = build_arguments(base_dir, few_dir, tmp_path, lora={"r": 4}, quantization="4bit")
    with monkeypatch.context() as patch:
        patch.setattr(sft_preparation.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(
            ValueError,
            match=r"needs bitsandbytes: pip install -c constraints\.txt -e '\.\[qlora\]', or leave quant",
        ):
            finetune(arguments)
    monkeypatch.setattr(sft_preparation.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    with pytest.raises(ValueError, match="quantization needs a GPU, and there is none here"):
        finetune(arguments)
    assert not list(tmp_path.iterdir())


def say(*turns):
    return {"messages": [{"role": role, "content": content} for role, content in turns], "text": "x"}


GOOD = say(("user", "labas?"), ("assistant", "labas"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (say(("user", "labas?"), ("assistant", "")), r"train: row 2: message 2, of the assistant, is empty"),
        (
            say(("user", "a"), ("user", "b"), ("assistant", "c")),
            r"row 2: message 2 is the user's where",
        ),
        (
            say(("user", "a"), ("tool", "b"), ("assistant", "c")),
            r"row 2: the role of message 2 is none of",
        ),
        (
            say(("user", "labas " * 90), ("assistant", "labas")),
            r"row 2: a question and its reply take \d+",
        ),
    ],
)
def test_a_row_that_cannot_be_learnt_is_refused_or_left_out(base_dir, tmp_path, capsys, row, words):
    dataset_dir = save_rows(tmp_path / "dataset", [GOOD, row])
    with pytest.raises(ValueError, match=words):
        finetune(build_arguments(base_dir, dataset_dir, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]
    finetune(build_arguments(base_dir, dataset_dir, tmp_path, skip_unusable=True, max_steps=1))
    assert "train: 1 examples" in (printed := capsys.readouterr().out) and "left out: 1 " in printed


def test_a_row_that_the_chat_template_refuses_is_named_or_left_out(base_dir, tmp_path, capsys):
    from trl import chat_template_utils as trl_templates

    gemma = save_rows(tmp_path / "dataset", [GOOD, say(("system", "b darija"), ("user", "a"), ("assistant", "b"))])
    for path in base_dir.iterdir():
        (tmp_path / "base").mkdir(exist_ok=True)
        (tmp_path / "base" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "base" / "chat_template.jinja").write_text(
        trl_templates.gemma_chat_template.replace("<end_of_turn>", TURN_END)
    )
    arguments = {"max_steps": 1, "skip_unusable": True}
    with pytest.raises(ValueError, match=r"row 2: the chat template refuses it: .*--chat_template chatml, or leave"):
        finetune(build_arguments(tmp_path / "base", gemma, tmp_path))
    finetune(build_arguments(tmp_path / "base", gemma, tmp_path, **arguments))
    assert "train: 1 examples" in (printed := capsys.readouterr().out)
    assert "left out: 1 refused by the chat template" in printed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "nowhere/at/all"}, "nowhere/at/all"),
        ({"dataset": "nowhere"}, "nowhere is no dataset directory"),
        ({"lora": {"rank": 4}}, "unknown key rank"),
        ({"lora": {"r": 4, "target_modules": ["query"]}}, "query"),
        ({"lora": {"r": 4, "target_modules": ["lm_head"]}}, "no adapter on the head"),
        ({"lora": {"r": 4, "target_modules": ["embed_tokens"]}}, "lora: embed_tokens and lm_head share their weights"),
        ({"max_length": 3}, "raise it, or leave such pairs out with --skip_unusable true"),
        ({"max_length": 3, "skip_unusable": True}, "train has nothing to learn"),
        ({"max_length": 400}, r"max_length=400 must be above 1 and within the 96 tokens that .* reads"),
        ({"freeze_layers": 3}, "freeze_layers=3 is none of 0 to 2"),
        ({"freeze_patterns": ["encoder"]}, "'encoder' finds none"),
        ({"freeze_patterns": ["."]}, "leave no weight to train; freeze fewer"),
        ({"lora": {"r": "abc"}}, r"lora\.r='abc': input should be a valid integer"),
        ({"lora": {"r": 4, "bias": "some"}}, r"lora\.bias='some': input should be 'none', 'all' or"),
        ({"report_to": "no_tracker"}, "no_tracker"),
        ({"adapter": "nowhere", "lora": None}, "adapter=nowhere holds no adapter_config.json"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(base_dir, few_dir, tmp_path, changes, words):
    from pathlib import Path

    changes = {name: Path(value) if name in ("dataset", "adapter") else value for name, value in changes.items()}
    with pytest.raises(ValueError, match=words):
        finetune(build_arguments(base_dir, few_dir, tmp_path, **changes))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lora": {"r": 4}, "freeze_layers": 1}, "lora freezes all weights of the model; leave out freeze_layers"),
        ({"quantization": "4bit"}, "quantization is for an adapter"),
        ({"merge": False}, "merge=False is for an adapter"),
        ({"early_stopping_patience": 0}, "early_stopping_patience=0 must be positive"),
        ({"early_stopping_patience": 2, "eval_strategy": "no"}, "it needs a validation loss to watch"),
        ({"learning_rate": 0}, "learning_rate=0 must be positive"),
        ({"num_train_epochs": 0}, "num_train_epochs=0 must be positive"),
        ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps=0 must be positive"),
        pytest.param({"fp16": True}, "fp16=true needs a GPU", marks=without_gpu),
        ({"push_to_hub": True}, "push_to_hub is not followed here: publish.py pushes a model"),
        ({"packing_strategy": "wrapped"}, "packing_strategy is not followed here: packing keeps examples whole"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(base_dir, few_dir, tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        build_arguments(base_dir, few_dir, tmp_path, **changes)


def test_an_adapter_of_another_base_is_refused(base_dir, gpt2_dir, few_dir, tmp_path):
    finetune(build_arguments(base_dir, few_dir, tmp_path, lora={"r": 2}, max_steps=1))
    adapter = tmp_path / "chat" / "adapter"
    changes = {"output_dir": tmp_path / "other", "chat_template": "chatml"}
    with pytest.raises(ValueError, match=r"was trained on base, and the model is .*gpt2"):
        finetune(build_arguments(gpt2_dir, few_dir, tmp_path, **changes, adapter=adapter))
    with pytest.raises(ValueError, match="is an adapter; give its base as model, and this as adapter"):
        finetune(build_arguments(adapter, few_dir, tmp_path, **changes))


@pytest.mark.parametrize(
    ("field", "value", "package"), [("optim", "paged_adamw_8bit", "bitsandbytes"), ("report_to", "wandb", "wandb")]
)
def test_an_optimizer_or_a_tracker_that_is_not_installed_is_refused(
    base_dir, few_dir, tmp_path, monkeypatch, field, value, package
):
    monkeypatch.setattr("transformers.trainer_optimizer.is_bitsandbytes_available", lambda: False)
    monkeypatch.setattr("transformers.integrations.integration_utils.is_wandb_available", lambda: False)
    with pytest.raises(ValueError, match=rf"pip install .*{package}.* Or choose another optim or report_to"):
        finetune(build_arguments(base_dir, few_dir, tmp_path, **{field: value}))
    assert not list(tmp_path.iterdir())


def test_messages_that_are_texts_are_refused(base_dir, tmp_path):
    rows = Dataset.from_list(
        [{"text": "a", "messages": ["labas?"], "source": "", "script": "", "conversation_id": ""}]
    )
    DatasetDict({"train": rows, "validation": rows, "test": rows}).save_to_disk(tmp_path / "dataset")
    with pytest.raises(ValueError, match=r"train: row 1: its messages are no list of \{role, content\}; mend it"):
        finetune(build_arguments(base_dir, tmp_path / "dataset", tmp_path))


def test_a_damaged_adapter_is_refused_by_the_name_of_its_file(base_dir, few_dir, tmp_path):
    finetune(build_arguments(base_dir, few_dir, tmp_path, lora={"r": 2}, max_steps=1))
    adapter, arguments = tmp_path / "chat" / "adapter", {"output_dir": tmp_path / "other"}
    config = json.loads((adapter / "adapter_config.json").read_text())
    for name, content, words in (
        ("adapter_model.safetensors", "cut", r"adapter holds no adapter_model\.safetensors that loads"),
        ("adapter_config.json", json.dumps(config | {"peft_type": "LORE"}), r"that loads beside adapter_config\.json"),
        ("adapter_config.json", "{", r"adapter_config\.json is no JSON mapping"),
    ):
        (adapter / name).write_text(content)
        with pytest.raises(ValueError, match=words):
            finetune(build_arguments(base_dir, few_dir, tmp_path, **arguments, adapter=adapter))


def test_an_adapter_that_changes_no_weights_is_refused(base_dir, few_dir, tmp_path):
    from peft import PromptTuningConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(base_dir)
    prompts = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    get_peft_model(model, prompts).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="of the kind PROMPT_TUNING, which changes no weights"):
        finetune(build_arguments(base_dir, few_dir, tmp_path, adapter=tmp_path / "adapter"))


def test_an_adapter_goes_on_with_the_chat_template_that_it_learnt(gpt2_dir, few_dir, tmp_path):
    alone = {"chat_template": "llama2", "lora": {"r": 2}, "merge": False, "max_steps": 1}
    finetune(build_arguments(gpt2_dir, few_dir, tmp_path, **alone))
    further = {"adapter": tmp_path / "chat", "output_dir": tmp_path / "further", "max_steps": 1}
    finetune(build_arguments(gpt2_dir, few_dir, tmp_path, **further))
    templates = [AutoTokenizer.from_pretrained(tmp_path / name).chat_template for name in ("chat", "further")]
    assert templates[0] == templates[1] is not None


def test_a_tokenizer_of_another_model_is_refused(base_dir, tokenizer, few_dir, tmp_path):
    config = DarijaGPTConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    DarijaGPTForCausalLM(config).save_pretrained(tmp_path / "mixed")
    tokenizer.save_pretrained(tmp_path / "mixed")
    with pytest.raises(ValueError, match=r"the tokenizer has \d+ entries and the model embeddings for 50"):
        finetune(build_arguments(tmp_path / "mixed", few_dir, tmp_path))


def test_a_dataset_without_the_columns_or_without_replies_is_refused(base_dir, dataset_dir, tmp_path):
    dataset = load_from_disk(dataset_dir)
    dataset.remove_columns("messages").save_to_disk(tmp_path / "without")
    with pytest.raises(ValueError, match="lacks the column messages"):
        finetune(build_arguments(base_dir, tmp_path / "without", tmp_path))
    dataset.map(lambda row: {"messages": None}, keep_in_memory=True).save_to_disk(tmp_path / "plain")
    arguments = build_arguments(base_dir, tmp_path / "plain", tmp_path)
    with pytest.raises(ValueError, match=r"nothing to learn \(160 plain text\)"):
        finetune(arguments)


def test_an_output_directory_with_another_model_is_refused(base_dir, few_dir, tmp_path):
    with pytest.raises(ValueError, match="already holds another run"):
        finetune(replace(build_arguments(base_dir, few_dir, tmp_path), output_dir=str(base_dir)))
