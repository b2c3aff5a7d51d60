"""Checkpoints: what a crash, a full disk or a damaged file can do to them, which is nothing."""

import errno
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fault_runs import CutOffError, assert_same, copy_run, make_arguments, read_state, set_steps, torn_writes
from safetensors import SafetensorError

from darija_gpt import architectures, durable, training_run
from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.encoding import encode_batches
from darija_gpt.manifest import DamagedFilesError, read_manifest, verify_checkpoint
from darija_gpt.pretraining import pretrain
from darija_gpt.run_lock import lock_directory
from darija_gpt.run_record import check_run, record_run


NUM_STEPS = 6
FILES = ["manifest.json", "model.safetensors", "optimizer.bin", "random_states_0.pkl", "weight_average.safetensors"]


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "truncated": lambda path, other: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path, other: path.write_bytes(b""),
    "bit-flipped": lambda path, other: flip_a_bit(path),
    "deleted": lambda path, other: path.unlink(),
    "swapped": lambda path, other: shutil.copyfile(other, path),
}


@pytest.fixture(scope="module")
def finished(dataset_dir, tokenizer_dir, tmp_path_factory):
    """A run that nothing disturbed, with all its checkpoints."""
    directory = tmp_path_factory.mktemp("finished") / "base"
    arguments = make_arguments(
        *(dataset_dir, tokenizer_dir, directory),
        save_steps=2,
        save_total_limit=9,
        sample_prompts=["salam"],
        sample_max_new_tokens=3,
        report_to=["tensorboard"],
    )
    arguments = set_steps(arguments, NUM_STEPS)
    pretrain(arguments)
    return arguments


@pytest.fixture(scope="module")
def reference(finished):
    return read_state(finished.output_dir)


def run_cut_off(arguments, monkeypatch, error: BaseException, place: int, *, is_torn: bool) -> list[str]:
    """Runs until an error at one durable operation; gives the operations up to there."""
    with torn_writes(monkeypatch, error, place, is_torn=is_torn) as names:
        try:
            pretrain(arguments)
        except (CutOffError, OSError) as raised:
            assert error in (raised, raised.__cause__)
    return names


def test_undisturbed_runs_are_equal(finished, reference, tmp_path):
    arguments = replace(finished, output_dir=tmp_path / "base")
    pretrain(arguments)
    assert_same(arguments, reference)


@pytest.mark.parametrize("is_torn", [False, True], ids=["before", "within"])
@pytest.mark.parametrize(
    "stride", [23, pytest.param(7, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.faults)]
)
def test_a_crash_at_any_durable_operation_costs_nothing(finished, reference, tmp_path, monkeypatch, stride, is_torn):
    arguments = replace(finished, save_total_limit=1)
    names = run_cut_off(
        replace(arguments, output_dir=tmp_path / "whole"), monkeypatch, CutOffError(), 10**9, is_torn=False
    )
    assert {"make_directory", "write_by", "write_in_place", "sync", "rename", "remove"} <= set(names)
    for place in range(0, len(names), stride):
        cut_off = replace(arguments, output_dir=tmp_path / str(place))
        run_cut_off(cut_off, monkeypatch, CutOffError(), place, is_torn=is_torn)
        if not (cut_off.output_dir / "training_summary.json").exists():
            pretrain(cut_off)
        assert_same(cut_off, reference)
    print(f"{len(range(0, len(names), stride))} crashes at {len(names)} operations")


@pytest.mark.parametrize("is_torn", [False, True], ids=["before", "within"])
@pytest.mark.parametrize(
    "stride", [31, pytest.param(11, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.faults)]
)
def test_a_disk_that_is_full_at_any_write_costs_nothing(
    finished, reference, tmp_path, monkeypatch, capsys, stride, is_torn
):
    full = OSError(errno.ENOSPC, "No space left on device")
    names = run_cut_off(replace(finished, output_dir=tmp_path / "whole"), monkeypatch, full, 10**9, is_torn=False)
    num_survived = 0
    places = [
        place for place, name in enumerate(names) if name in ("make_directory", "write_by", "write_in_place", "sync")
    ]
    for place in places[::stride]:
        arguments = replace(finished, output_dir=tmp_path / str(place))
        run_cut_off(arguments, monkeypatch, full, place, is_torn=is_torn)
        if (arguments.output_dir / "training_summary.json").exists():
            num_survived += 1
        else:
            pretrain(arguments)
        state = read_state(arguments.output_dir)
        # Where it was the last checkpoint that failed, the model stands all the same.
        has_last = state["progress"]["step"] == NUM_STEPS
        for part in reference if has_last else ("log", "samples", "model", "summary"):
            assert state[part] == reference[part], f"{part} differs after {names[place]} at {place}"
    # The others are run.json, without which nothing may begin, and the finished model.
    assert num_survived >= len(places[::stride]) // 2
    print(f"{len(places[::stride])} full disks, {num_survived} of them survived without a new start")


@pytest.mark.parametrize(
    ("writer", "error"),
    [
        (
            "darija_gpt.model.DarijaGPTForCausalLM.save_pretrained",
            SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        ),
        ("darija_gpt.pretraining.save_tokenizer", Exception("No space left on device (os error 28)")),
    ],
    ids=["weights", "tokenizer"],
)
def test_a_disk_that_is_full_for_the_model_is_told_in_words_and_nothing_is_encoded_again(
    finished, reference, tmp_path, monkeypatch, writer, error
):
    arguments = replace(finished, output_dir=tmp_path / "base")

    def refuse(*arguments, **options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(writer, refuse)
        # Of OSError, of which every stage makes one line and the exit code 2.
        with pytest.raises(OSError, match="base: the disk is full, so that the trained model is not saved; make"):
            pretrain(arguments)
    assert not (arguments.output_dir / ".model").exists()
    assert not (arguments.output_dir / "training_summary.json").exists()
    monkeypatch.setattr("darija_gpt.token_store.encode_batches", refuse)
    pretrain(arguments)
    assert_same(arguments, reference)
    assert not (arguments.output_dir / "tokens").exists()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("free_bytes", [0, 8_192, 40_960, 81_920, 131_072, 163_840])
def test_a_disk_that_is_really_full_leaves_the_old_checkpoint_and_is_tried_again(
    finished, reference, small_disk, monkeypatch, capsys, free_bytes
):
    # Without trackers, whose writes would be counted too.
    arguments = replace(finished, output_dir=small_disk / "base", report_to=[])
    filler = small_disk / "filler"
    write_by, save_checkpoint = durable.write_by, training_run.save_checkpoint
    num_writes = iter(range(100))

    def fill_and_write(write):
        if next(num_writes) == 2:  # the second checkpoint; each has weights and averaged weights
            with filler.open("wb", buffering=0) as file:
                remaining = shutil.disk_usage(small_disk).free - free_bytes
                file.write(bytes(max(remaining, 0)))
        write_by(write)

    def free_and_save(*args, **kwargs):
        if filler.exists():
            filler.unlink()
            assert list_checkpoints(arguments.output_dir / "checkpoints")[0].name == "step-00000002"
        save_checkpoint(*args, **kwargs)

    monkeypatch.setattr(durable, "write_by", fill_and_write)
    monkeypatch.setattr(training_run, "save_checkpoint", free_and_save)
    pretrain(arguments)
    if free_bytes < 163_840:
        assert "warning: no checkpoint at step 4, the disk is full" in capsys.readouterr().out
    assert_same(arguments, reference)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(finished, tmp_path, name, damage):
    checkpoints = list_checkpoints(finished.output_dir / "checkpoints")
    assert sorted(path.name for path in checkpoints[-1].iterdir()) == FILES
    identity = read_manifest(checkpoints[-1])["identity"]
    assert verify_checkpoint(checkpoints[-1], identity)["step"] == NUM_STEPS
    damaged = tmp_path / checkpoints[-1].name
    shutil.copytree(checkpoints[-1], damaged)
    if name == "random_states_0.pkl" and damage == "swapped":
        # Seeded by the step, so that those of two checkpoints may be equal.
        DAMAGES[damage](damaged / name, checkpoints[0] / "model.safetensors")
    else:
        DAMAGES[damage](damaged / name, checkpoints[0] / name)
    message = "holds the state of step 2" if (name, damage) == ("manifest.json", "swapped") else name
    with pytest.raises(DamagedFilesError, match=message):
        verify_checkpoint(damaged, identity)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param(name, damage, marks=[] if (row + column) % 5 == 0 else pytest.mark.faults)
        for row, name in enumerate(FILES)
        for column, damage in enumerate(DAMAGES)
    ],
)
def test_a_damaged_checkpoint_is_fallen_back_from(finished, reference, tmp_path, capsys, name, damage):
    arguments = replace(finished, output_dir=tmp_path / "base", save_total_limit=1)
    copy_run(finished.output_dir, arguments.output_dir, steps=[2, 4])
    checkpoints = list_checkpoints(arguments.output_dir / "checkpoints")
    DAMAGES[damage](checkpoints[1] / name, checkpoints[0] / ("model.safetensors" if "random" in name else name))
    pretrain(arguments)
    shown = capsys.readouterr().out
    assert f"a damaged checkpoint is left out: {checkpoints[1]}" in shown and "resuming at step 2" in shown
    assert_same(arguments, reference)
    assert (checkpoints[1].parent / "damaged-step-00000004").is_dir()


def test_a_bit_flipped_anywhere_in_a_manifest_is_noticed(finished, tmp_path):
    checkpoint = list_checkpoints(finished.output_dir / "checkpoints")[-1]
    identity = read_manifest(checkpoint)["identity"]
    damaged = tmp_path / checkpoint.name
    shutil.copytree(checkpoint, damaged)
    data = (damaged / "manifest.json").read_bytes()
    contents = json.loads(data)
    for place in range(0, len(data), 3):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        (damaged / "manifest.json").write_bytes(flipped)
        try:
            if json.loads(flipped) == contents:
                continue  # white space
        except ValueError:
            pass
        with pytest.raises(DamagedFilesError):
            verify_checkpoint(damaged, identity)


def test_a_file_that_no_manifest_names_is_not_loaded(finished, tmp_path):
    checkpoint = list_checkpoints(finished.output_dir / "checkpoints")[-1]
    identity = read_manifest(checkpoint)["identity"]
    shutil.copytree(checkpoint, tmp_path / checkpoint.name)
    (tmp_path / checkpoint.name / "custom_checkpoint_0.pkl").write_bytes(b"code")
    with pytest.raises(DamagedFilesError, match="is not in the manifest"):
        verify_checkpoint(tmp_path / checkpoint.name, identity)


def test_a_checkpoint_of_another_run_or_step_is_not_loaded(finished, tmp_path):
    checkpoint = list_checkpoints(finished.output_dir / "checkpoints")[-1]
    identity = read_manifest(checkpoint)["identity"]
    with pytest.raises(DamagedFilesError, match="belongs to a run with another data"):
        verify_checkpoint(checkpoint, {**identity, "data": "other"})
    shutil.copytree(checkpoint, tmp_path / "step-00000007")
    with pytest.raises(DamagedFilesError, match="holds the state of step 6"):
        verify_checkpoint(tmp_path / "step-00000007", identity)


def test_a_run_whose_checkpoints_are_all_damaged_stops_with_3_and_never_starts_anew(finished, tmp_path, capsys):
    arguments = replace(finished, output_dir=tmp_path / "base")
    copy_run(finished.output_dir, arguments.output_dir)
    for checkpoint in list_checkpoints(arguments.output_dir / "checkpoints"):
        flip_a_bit(checkpoint / "optimizer.bin")
    for _ in range(2):
        with pytest.raises(SystemExit) as stop:
            pretrain(arguments)
        assert stop.value.code == 3
        assert "holds no checkpoint that can be trusted" in capsys.readouterr().err
    assert len(list_checkpoints(arguments.output_dir / "checkpoints")) == 3


def test_the_newest_checkpoints_and_the_best_are_kept(finished, tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 4.0, 5.0, 6.0])
    monkeypatch.setattr("darija_gpt.training_run.TrainingRun._measure_loss", lambda run: next(losses))
    # Set aside from run.json, as these are free.
    arguments = set_steps(
        replace(finished, output_dir=tmp_path / "base", eval_steps=2, save_steps=2, save_total_limit=2), 12
    )
    pretrain(arguments)
    names = [path.name for path in list_checkpoints(arguments.output_dir / "checkpoints")]
    assert names == ["step-00000004", "step-00000010", "step-00000012"]


def test_two_runs_in_one_directory_are_refused(finished, tmp_path):
    arguments = replace(finished, output_dir=tmp_path)
    with (
        lock_directory(tmp_path),
        pytest.raises(ValueError, match=r"is in use by another run \(process \d+\); wait for it or choose another"),
    ):
        pretrain(arguments)
    pretrain(arguments)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed was 0 and is 1"),
        ({"model": {"hidden_size": 32}}, "model was .* and is .*32"),
        ({"per_device_train_batch_size": 6}, "a step had 6 blocks and has 12"),
        ({"gradient_accumulation_steps": 3}, "a step had 6 blocks and has 9"),
        ({"schedule": "wsd"}, "schedule was linear and is wsd"),
    ],
)
def test_a_changed_recipe_is_refused_with_the_difference(finished, tmp_path, changes, words):
    arguments = replace(finished, output_dir=tmp_path)
    record_run(arguments)
    with pytest.raises(ValueError, match=f"already holds another run: {words}"):
        pretrain(replace(arguments, **changes))


def test_changed_inputs_are_refused_by_name(finished, tmp_path, monkeypatch):
    dataset_dir, tokenizer_dir, model_dir = (tmp_path / name for name in ("dataset", "tokenizer", "model"))
    shutil.copytree(finished.dataset, dataset_dir)
    shutil.copytree(finished.tokenizer, tokenizer_dir)
    arguments = replace(finished, dataset=dataset_dir, tokenizer=tokenizer_dir, output_dir=tmp_path / "base")
    record_run(arguments)
    check_run(replace(arguments, dataset=finished.dataset))  # the same, elsewhere

    (arrow,) = (dataset_dir / "train").glob("*.arrow")
    flip_a_bit(arrow)
    with pytest.raises(ValueError, match="another run: data: train has changed"):
        check_run(arguments)
    flip_a_bit(arrow)
    with (tokenizer_dir / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ValueError, match=r"another run: tokenizer: tokenizer\.json has changed"):
        check_run(arguments)
    shutil.copyfile(finished.tokenizer / "tokenizer.json", tokenizer_dir / "tokenizer.json")

    shutil.copytree(Path(architectures.__file__).parent / "model", model_dir)
    with (model_dir / "norms_darija_gpt.py").open("a") as file:
        file.write("\n")
    monkeypatch.setattr(architectures, "__file__", str(tmp_path / "architectures.py"))
    with pytest.raises(ValueError, match=r"another run: code: norms_darija_gpt\.py has changed"):
        check_run(arguments)


def rewrite_config(tokenizer_dir: Path, **changes) -> None:
    path = tokenizer_dir / "tokenizer_config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


def test_another_special_token_is_another_run_and_another_spelling_is_not(finished, tmp_path):
    tokenizer_dir = tmp_path / "tokenizer"
    shutil.copytree(finished.tokenizer, tokenizer_dir)
    arguments = replace(finished, tokenizer=tokenizer_dir, output_dir=tmp_path / "base")
    record_run(arguments)
    # As transformers 4 wrote them, and with what the tokens do not follow from.
    special = {"content": "<|endoftext|>", "lstrip": False, "normalized": False, "special": True}
    names = ["<|im_end|>", "<|im_start|>"]
    rewrite_config(tokenizer_dir, bos_token=special, extra_special_tokens=None, additional_special_tokens=names)
    rewrite_config(tokenizer_dir, add_bos_token=True, unk_token=None, model_max_length=7, name_or_path="/elsewhere")
    check_run(arguments)
    rewrite_config(tokenizer_dir, bos_token="<|im_start|>")
    with pytest.raises(ValueError, match=r"another run: tokenizer: bos_token was <\|endoftext\|> and is <\|im_start"):
        check_run(arguments)
    rewrite_config(tokenizer_dir, bos_token="<|endoftext|>", chat_template="{{ messages }}")
    with pytest.raises(ValueError, match="another run: tokenizer_config: chat_template has changed"):
        check_run(arguments)


def test_a_run_that_did_not_record_its_special_tokens_is_gone_on_with(finished, reference, tmp_path, capsys):
    arguments = replace(finished, output_dir=tmp_path / "base")
    copy_run(finished.output_dir, arguments.output_dir, steps=[2])
    path = arguments.output_dir / "run.json"
    description = json.loads(path.read_text())
    del description["tokenizer_config"]
    path.write_text(json.dumps(description))
    pretrain(arguments)
    assert "resuming at step 2" in capsys.readouterr().out
    identity = {part: value for part, value in reference["identity"].items() if part != "tokenizer_config"}
    assert_same(arguments, {**reference, "identity": identity})


def test_the_same_batch_in_other_parts_is_no_other_run(finished, tmp_path, monkeypatch):
    arguments = replace(finished, output_dir=tmp_path)
    record_run(arguments)
    check_run(replace(arguments, per_device_train_batch_size=1, gradient_accumulation_steps=6))
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_run(replace(arguments, gradient_accumulation_steps=1))
    with pytest.raises(ValueError, match="a step had 6 blocks and has 12"):
        check_run(arguments)


def test_a_run_without_its_checkpoints_says_that_it_starts_again(finished, reference, tmp_path, capsys):
    arguments = replace(finished, output_dir=tmp_path / "base")
    copy_run(finished.output_dir, arguments.output_dir, steps=[])
    pretrain(arguments)
    assert "holds no checkpoint yet, so the run starts at its first step again" in capsys.readouterr().out
    assert_same(arguments, reference)


def test_a_token_outside_the_vocabulary_stops_the_run_before_anything_is_written(finished, tmp_path, monkeypatch):
    def encode_wrongly(tokenizer, batches):
        return ([[*ids, 4000] for ids in documents] for documents in encode_batches(tokenizer, batches))

    monkeypatch.setattr("darija_gpt.token_store.encode_batches", encode_wrongly)
    with pytest.raises(ValueError, match=r"train: token \d+ of row 0 \(00000\.arrow, offset \d+\) has the id 4,000"):
        pretrain(replace(finished, output_dir=tmp_path / "base"))
    assert not (tmp_path / "base").exists()
