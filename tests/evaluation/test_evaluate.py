import json
import shutil

import pytest
from datasets import Dataset, DatasetDict

import darija_gpt.evaluation.evaluate
from darija_gpt.data.dataset_directory import FEATURES
from darija_gpt.data.script_tags import detect_script
from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
from darija_gpt.evaluation.evaluate import EvaluateArguments, evaluate, read_training_summaries
from darija_gpt.evaluation.measurements import name_sources


QUOTED = "wahed jouj tlata reb3a khamsa setta seb3a tmenya tes3oud"


@pytest.fixture(scope="module")
def dataset_dir(darija, tmp_path_factory):
    directory = tmp_path_factory.mktemp("dataset") / "dataset"
    rows = [
        {
            "text": text,
            "messages": [{"role": "user", "content": text}] if number % 2 else None,
            "source": "whatsapp",
            "script": detect_script(text),
            "conversation_id": str(number),
        }
        for number, text in enumerate([QUOTED, *darija])
    ]
    splits = {"train": rows[:20], "validation": rows[20:28], "test": rows[28:]}
    DatasetDict({name: Dataset.from_list(split, features=FEATURES) for name, split in splits.items()}).save_to_disk(
        directory
    )
    (directory / "report.json").write_text(json.dumps({"files": [{"file": "Chat with X.txt"}], "conversations": 41}))
    return directory


@pytest.fixture
def run_evaluate(tiny_llama_dir, dataset_dir, tmp_path):
    """Runs the stage; gives metrics.json and the lines of samples.jsonl."""

    def run(**arguments):
        output_dir = tmp_path / "evaluation"
        settings = {"max_new_tokens": 8, "model": str(tiny_llama_dir), "dataset": dataset_dir} | arguments
        evaluate(EvaluateArguments(output_dir=output_dir, **settings))
        samples = (output_dir / "samples.jsonl").read_text("utf-8").splitlines()
        return json.loads((output_dir / "metrics.json").read_text("utf-8")), [json.loads(line) for line in samples]

    return run


def test_metrics_and_samples_of_a_model_are_written(run_evaluate, tiny_llama, tokenizer, dataset_dir, capsys):
    prompts = [["salam", "labas 3lik?"], ["لاباس؟"]]
    metrics, samples = run_evaluate(prompts=prompts)

    assert list(metrics) == [
        *("model", "training", "dataset", "tokenizer", "bits_per_byte", "bits_per_byte_by_source"),
        *("sampled_dialogues", "wall_seconds"),
    ]
    assert metrics["model"] == {"parameters": tiny_llama.num_parameters(), "context_tokens": 96}
    assert metrics["dataset"] == {"conversations": 41}
    assert (metrics["training"], metrics["tokenizer"]) == ([], {})
    test_rows = DatasetDict.load_from_disk(str(dataset_dir))["test"]
    assert list(metrics["bits_per_byte"]) == ["validation", "test"]
    assert metrics["bits_per_byte"]["test"] == measure_bits_per_byte(tiny_llama, tokenizer, test_rows)
    assert [[message["content"] for message in sample["messages"][::2]] for sample in samples] == prompts
    assert all(sample["messages"][-1]["role"] == "assistant" for sample in samples)
    printed = capsys.readouterr().out
    assert f"{metrics['bits_per_byte']['test']['all']['bits_per_byte']:.4f}" in printed
    assert "user: لاباس؟" in printed


def test_a_source_that_is_a_file_is_called_by_a_number_and_others_by_their_names():
    names = name_sources(["whatsapp", "owner/corpus", "letters_of_fatima.csv", "whatsapp", "chat.txt"])
    assert names == {
        "whatsapp": "whatsapp",
        "owner/corpus": "owner/corpus",
        "chat.txt": "file 1",
        "letters_of_fatima.csv": "file 2",
    }


def test_bits_per_byte_are_told_by_source_too(run_evaluate):
    metrics, _ = run_evaluate()
    assert list(metrics["bits_per_byte_by_source"]["test"]) == ["whatsapp"]
    assert metrics["bits_per_byte_by_source"]["test"]["whatsapp"] == metrics["bits_per_byte"]["test"]["all"]


def test_what_a_recipe_asks_for_beside_is_measured_on_its_first_split(
    run_evaluate, tiny_llama_dir, dataset, tmp_path, capsys
):
    dataset.save_to_disk(tmp_path / "dataset")
    metrics, _ = run_evaluate(
        dataset=tmp_path / "dataset",
        splits=["train"],
        window_sweep=[64, 16, 128],
        compare_with=str(tiny_llama_dir),
        num_generated_texts=40,
    )
    assert [row["context_tokens"] for row in metrics["window_sweep"]["windows"]] == [16, 64, 128]
    assert metrics["window_sweep"]["learnt"] == 96
    assert (tmp_path / "evaluation" / "window_sweep.png").is_file()
    assert (tmp_path / "evaluation" / "window_sweep.csv").read_text().startswith("context_tokens,bits_per_byte,")
    assert metrics["kl_divergence"]["reference"] == "tiny"
    assert metrics["kl_divergence"]["nats_per_token"] == pytest.approx(0, abs=1e-6)
    assert metrics["kl_divergence"]["same_likeliest_token"] == 1
    assert 0 < metrics["generated_texts"]["mauve"] <= 1
    printed = capsys.readouterr().out
    assert all(words in printed for words in ("window", "nats per token", "MAUVE", "95 % interval"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_generated_texts": 40, "features_model": "nowhere/nothing"}, "nowhere/nothing"),
        ({"num_generated_texts": 40, "max_new_tokens": 90}, "leaves no room"),
        ({"prompts": [["salam"]], "max_new_tokens": 96}, "leaves no room for a prompt"),
        ({"stop_rate_prompts": 3, "max_new_tokens": 96}, "leaves no room for a prompt"),
    ],
    ids=["features", "texts", "dialogues", "stop rate"],
)
def test_what_cannot_be_written_is_refused_before_all_that_takes_long(
    arguments, words, run_evaluate, dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(darija_gpt.evaluation.evaluate, "WordRunIndex", None)
    dataset.save_to_disk(tmp_path / "dataset")
    with pytest.raises(ValueError, match=words):
        run_evaluate(dataset=tmp_path / "dataset", splits=["train"], **arguments)


def test_a_model_with_another_vocabulary_is_no_reference(run_evaluate, tiny_llama, darija, tmp_path):
    from darija_gpt.tokenizer import train_tokenizer

    tiny_llama.save_pretrained(tmp_path / "other")
    train_tokenizer(darija[:5], vocab_size=300).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="another vocabulary"):
        run_evaluate(compare_with=str(tmp_path / "other"))
    assert not (tmp_path / "evaluation").exists()


def test_tasks_of_lm_eval_stand_in_the_same_file(run_evaluate, tmp_path):
    pytest.importorskip("lm_eval")
    task = {"activity_label": "a", "ctx_a": "salam", "ctx_b": "khouya", "endings": ["labas", "walo"], "label": "0"}
    (tmp_path / "two.jsonl").write_text(json.dumps(task) + "\n" + json.dumps({**task, "label": "1"}) + "\n")
    metrics, _ = run_evaluate(harness_tasks=[str(tmp_path / "two.jsonl")])
    assert metrics["harness"]["two"]["metrics"]["acc"]["value"] == 0.5
    assert metrics["harness"]["two"]["metrics"]["acc"]["chance"] == 0.5


def test_tasks_of_ones_own_are_asked_before_all_that_takes_long(run_evaluate, tmp_path, monkeypatch):
    pytest.importorskip("lm_eval")
    monkeypatch.setattr(darija_gpt.evaluation.evaluate, "WordRunIndex", None)
    task = {"activity_label": "a", "ctx_a": "salam", "ctx_b": "khouya", "endings": ["labas", "walo " * 99], "label": 0}
    (tmp_path / "long.jsonl").write_text(json.dumps(task) + "\n")
    with pytest.raises(ValueError, match="cannot ask these tasks of this model"):
        run_evaluate(harness_tasks=[str(tmp_path / "long.jsonl")])


def test_a_reply_that_quotes_the_data_is_drawn_again_and_never_published(run_evaluate, monkeypatch, capsys):
    quotation = " ".join(QUOTED.split()[:8])

    def quote(model, tokenizer, messages, sampling):
        if messages[-1]["content"] == "dima":
            return quotation
        return quotation if sampling.seed < 3 else f"{' '.join(QUOTED.split()[:7])}, safi"

    monkeypatch.setattr(darija_gpt.evaluation.evaluate, "generate_reply", quote)
    metrics, samples = run_evaluate(prompts=[["salam"], ["dima"]])

    [sample] = samples
    assert sample["messages"][1]["content"].endswith("safi")
    assert sample["longest_shared_words"] == 7
    # The first reply is drawn with the seeds 0 to 3, the second with eleven more.
    assert metrics["sampled_dialogues"] == {"asked": 2, "left_out": 1, "redrawn": 3 + 10, "max_shared_words": 8}
    assert "1 of 2 dialogues are left out" in capsys.readouterr().out


def test_summaries_are_listed_from_the_first_training_stage_on(tmp_path):
    summaries = [{"stage": "pretrain", "tokens": 9}, {"stage": "finetune", "tokens": 3}]
    (tmp_path / "training_summary.json").write_text(json.dumps(summaries[1] | {"base": summaries[0]}))
    assert read_training_summaries(tmp_path) == summaries

    (tmp_path / "training_summary.json").write_text(json.dumps(summaries[0]))
    assert read_training_summaries(tmp_path) == summaries[:1]


@pytest.mark.parametrize("content", ["[1]", '{"base": [1]}', "{", '"\\ud800', "\udcff"])
def test_a_summary_that_is_none_is_refused_by_its_name(content, tmp_path):
    (tmp_path / "training_summary.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"training_summary\.json is not what training writes"):
        read_training_summaries(tmp_path)


@pytest.mark.parametrize("name", ["dataset/report.json", "model/tokenizer_report.json"])
def test_what_other_stages_noted_is_read_before_anything_is_measured(
    name, run_evaluate, dataset_dir, tiny_llama_dir, tmp_path, monkeypatch
):
    monkeypatch.setattr(darija_gpt.evaluation.evaluate, "WordRunIndex", None)
    shutil.copytree(dataset_dir, tmp_path / "dataset")
    shutil.copytree(tiny_llama_dir, tmp_path / "model")
    (tmp_path / name).write_text("{'single quotes': 1}")
    with pytest.raises(ValueError, match=rf"{name.split('/')[1]} is not what .* writes; run .* again"):
        run_evaluate(model=str(tmp_path / "model"), dataset=tmp_path / "dataset")
    assert not (tmp_path / "evaluation").exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("splits", ["dev"], "there is no dev"),
        ("prompts", [["salam", " "]], "says nothing"),
        ("max_shared_words", 0, "must be positive"),
        ("context_tokens", 1, "no window"),
        ("temperature", 0.0, "must be positive"),
        ("window_sweep", [64, 1], "1 is no window"),
        ("num_generated_texts", 39, "too few to compare"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused(name, value, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        EvaluateArguments(model="m", dataset=tmp_path, output_dir=tmp_path / "out", **{name: value})


def test_nothing_is_written_where_a_prompt_does_not_fit(run_evaluate, tmp_path):
    with pytest.raises(ValueError, match="write a shorter one"):
        run_evaluate(prompts=[["salam " * 200]])
    assert not (tmp_path / "evaluation").exists()
