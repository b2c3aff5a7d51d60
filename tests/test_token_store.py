"""The token store: what is encoded once is what the tokenizer says, and nothing damaged is taken for it."""

import copy
import os
import shutil
import stat
import threading
from itertools import chain, pairwise

import numpy as np
import pytest
from datasets import Dataset, load_dataset
from fault_runs import CutOffError, torn_writes

from darija_gpt import token_store
from darija_gpt.encoding import encode_batches, encode_rows
from darija_gpt.faults import StoppedError
from darija_gpt.run_lock import lock_directory
from darija_gpt.token_store import open_tokens, prepare_tokens
from darija_gpt.tokenizer import ROLES, encode_texts, render_messages


PRINT = "0123456789abcdef" * 4


@pytest.fixture
def prepare(dataset, tokenizer, tmp_path):
    def prepare(rows=dataset["train"], **options):
        return prepare_tokens(rows, tokenizer, tmp_path / "tokens", split="train", fingerprint=PRINT, **options)

    return prepare


@pytest.fixture
def refuse_to_encode(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("the tokenizer was asked")

    return lambda: monkeypatch.setattr(token_store, "encode_batches", refuse)


def list_documents(directory) -> list[list[int]]:
    documents = open_tokens(directory)
    ids = documents.gather(np.arange(documents.num_tokens))
    return [ids[first:last].tolist() for first, last in pairwise(documents.starts)]


def encode_one_by_one(tokenizer, row) -> list[int]:
    """As the tokenizer is called without any batch."""
    if row["messages"]:
        return render_messages(tokenizer, row["messages"])["input_ids"]
    return [tokenizer.bos_token_id, *encode_texts(tokenizer, [row["text"]])[0]]


def test_rows_are_encoded_together_as_one_by_one(dataset, tokenizer, darija):
    rows = dataset["train"].to_list() + [{"text": text, "messages": None} for text in darija]
    rows += [{"text": f"salam {token} labas", "messages": []} for token in tokenizer.all_special_tokens]
    rows += [{"text": "", "messages": None}, {"text": "[PHONE] <|im_end|>", "messages": None}]
    typed = ["<|im_end|>\n<|im_start|>system", " \u2028 salam\xa0\n", "", "<<||>|", "\x1c0\x85", "[PHONE]"]
    rows += [
        {"text": text, "messages": [{"role": role, "content": f"{other}{text}"} for role in ROLES]}
        for text in typed
        for other in typed
    ]
    columns = {name: [row[name] for row in rows] for name in ("text", "messages")}
    assert encode_rows(tokenizer, columns) == [encode_one_by_one(tokenizer, row) for row in rows]


def test_batches_are_encoded_in_their_order_and_as_they_come(dataset, tokenizer):
    asked = []

    def read():
        for first in range(0, 60, 10):
            asked.append(first)
            yield dataset["train"][first : first + 10]

    batches = encode_batches(tokenizer, read())
    assert next(batches) == encode_rows(tokenizer, dataset["train"][:10])
    assert asked == [0, 10]
    assert [ids for batch in batches for ids in batch] == encode_rows(tokenizer, dataset["train"][10:60])


def test_a_template_of_somebody_else_is_rendered_by_jinja(dataset, tokenizer):
    other = copy.deepcopy(tokenizer)
    other.chat_template = "{{ bos_token }}{% for message in messages %}{{ message['content'] | upper }}{% endfor %}"
    row = {"text": ["x"], "messages": [[{"role": "user", "content": "salam"}]]}
    assert other.decode(encode_rows(other, row)[0]) == "<|endoftext|>SALAM"


def test_a_role_that_nobody_knows_is_refused(tokenizer):
    row = {"text": ["x"], "messages": [[{"role": "boss", "content": "salam"}]]}
    with pytest.raises(ValueError, match="a conversation cannot be rendered: A role is system, user or assistant"):
        encode_rows(tokenizer, row)


def test_padding_and_truncation_in_the_tokenizers_file_change_nothing(dataset, tokenizer):
    expected = encode_rows(tokenizer, dataset["train"][:9])
    tokenizer.backend_tokenizer.enable_truncation(4)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    assert encode_rows(tokenizer, dataset["train"][:9]) == expected


@pytest.mark.parametrize("tokens_per_shard", [1, 700, 10**9])
def test_a_store_holds_what_the_tokenizer_says(prepare, dataset, tokenizer, monkeypatch, tokens_per_shard):
    monkeypatch.setattr(token_store, "ROWS_PER_BATCH", 10)
    monkeypatch.setattr(token_store, "TOKENS_PER_SHARD", tokens_per_shard)
    directory = prepare()
    expected = [encode_one_by_one(tokenizer, row) for row in dataset["train"]]
    assert list_documents(directory) == expected
    paths = sorted(directory.glob("*.arrow"))
    assert len(paths) == {1: 16, 700: len(paths), 10**9: 1}[tokens_per_shard]
    by_library = [Dataset.from_file(str(path))[:]["input_ids"] for path in paths]
    assert list(chain.from_iterable(by_library)) == expected


@pytest.mark.parametrize(("num_ids", "bytes_per_token"), [(2**16, 2), (2**16 + 1, 4)])
def test_a_token_takes_two_bytes_where_the_vocabulary_allows(prepare, dataset, monkeypatch, num_ids, bytes_per_token):
    monkeypatch.setattr(token_store, "_count_ids", lambda tokenizer: num_ids)
    monkeypatch.setattr(
        token_store,
        "encode_batches",
        lambda _, all_rows: ([[0, num_ids - 1] for _ in rows["text"]] for rows in all_rows),
    )
    directory = prepare()
    assert open_tokens(directory).shards[0].dtype.itemsize == bytes_per_token
    assert list_documents(directory) == [[0, num_ids - 1]] * len(dataset["train"])


def test_tokens_stay_on_the_disk_and_belong_to_their_owner(prepare):
    directory = prepare()
    shard = open_tokens(directory).shards[0]
    assert not shard.flags.owndata and not shard.flags.writeable
    written = [directory.parent, directory, *directory.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in written if path.is_file()} == {0o600}


def test_a_store_is_written_once(prepare, refuse_to_encode):
    directory = prepare()
    refuse_to_encode()
    assert prepare() == directory


def test_a_store_that_cannot_be_written_to_is_read(prepare, refuse_to_encode):
    directory = prepare()
    (directory.parent / "run.lock").unlink()
    directory.parent.chmod(0o500)
    refuse_to_encode()
    assert prepare() == directory and not (directory.parent / "run.lock").exists()
    directory.parent.chmod(0o700)


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-8]),
    "other": lambda path: path.write_bytes(bytes(len(path.read_bytes()))),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["00000.arrow", "manifest.json"])
def test_a_damaged_store_is_named_and_written_again(prepare, capsys, name, damage):
    directory = prepare()
    expected = list_documents(directory)
    DAMAGES[damage](directory / name)
    assert prepare() == directory
    warning = capsys.readouterr().out
    assert "warning: the stored tokens are damaged, so the train split is encoded again" in warning and name in warning
    assert list_documents(directory) == expected


def test_a_store_of_other_data_is_not_taken(prepare, dataset, tokenizer, tmp_path):
    directory = prepare()
    other = prepare_tokens(dataset["validation"], tokenizer, tmp_path / "tokens", split="train", fingerprint="f" * 64)
    assert other != directory and len(open_tokens(other)) == 24 and len(open_tokens(directory)) == 160
    # The same name by chance, or by somebody's hand.
    shutil.rmtree(directory)
    other.rename(directory)
    assert len(open_tokens(prepare())) == 160


@pytest.mark.parametrize("is_torn", [False, True], ids=["before", "within"])
def test_a_crash_at_any_durable_operation_leaves_no_half_of_a_store(prepare, monkeypatch, tmp_path, is_torn):
    with torn_writes(monkeypatch, CutOffError(), 10**9, is_torn=False) as names:
        expected = list_documents(prepare())
    for place in range(len(names)):
        shutil.rmtree(tmp_path / "tokens")
        with torn_writes(monkeypatch, CutOffError(), place, is_torn=is_torn), pytest.raises(CutOffError):
            prepare()
        assert list_documents(prepare()) == expected
        assert not list((tmp_path / "tokens").glob(".*"))


def test_a_full_disk_leaves_no_part_of_a_store(prepare, monkeypatch, tmp_path):
    full = OSError(28, "No space left on device")
    with torn_writes(monkeypatch, full, 3, is_torn=True), pytest.raises(OSError, match="No space left"):
        prepare()
    assert [path.name for path in (tmp_path / "tokens").iterdir()] == ["run.lock"]


def test_whoever_asks_to_stop_is_heard(prepare, tmp_path):
    def stop():
        raise StoppedError("stopped", 130)

    with pytest.raises(StoppedError):
        prepare(check_stop=stop)
    assert [path.name for path in (tmp_path / "tokens").iterdir()] == ["run.lock"]


def test_two_runs_that_share_a_cache_encode_once(prepare, dataset, monkeypatch, tmp_path, capsys):
    calls, encode = [], token_store.encode_batches

    def count(tokenizer, batches):
        for documents in encode(tokenizer, batches):
            calls.append(len(documents))
            yield documents

    monkeypatch.setattr(token_store, "encode_batches", count)
    (tmp_path / "tokens").mkdir()
    with lock_directory(tmp_path / "tokens"):
        runs = [threading.Thread(target=prepare) for _ in range(2)]
        for run in runs:
            run.start()
        runs[0].join(0.5)
        assert all(run.is_alive() for run in runs)
        waiting = f"waiting until process {os.getpid()} is done with {tmp_path / 'tokens'}\n"
        assert capsys.readouterr().out == 2 * waiting
    for run in runs:
        run.join()
    assert sum(calls) == len(dataset["train"])


def test_an_id_that_the_tokenizer_has_not_is_named_before_it_is_written(prepare, monkeypatch, tmp_path):
    monkeypatch.setattr(token_store, "encode_batches", lambda tokenizer, batches: iter([[[0, 1, 70_000]]]))
    with pytest.raises(ValueError, match=r"train: token 2 of row 0 \(00000\.arrow, offset 2\) has the id 70,000"):
        prepare()
    assert not list((tmp_path / "tokens").glob("*train-*"))


def test_an_arrow_file_is_one_that_datasets_loads(prepare, dataset):
    directory = prepare()
    loaded = load_dataset("arrow", data_files=str(directory / "*.arrow"), split="train", streaming=True)
    assert [row["input_ids"] for row in loaded] == list_documents(directory)
