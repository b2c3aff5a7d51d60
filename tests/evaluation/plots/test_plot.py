import csv
from collections import Counter

import pytest
from PIL import Image

from darija_gpt.evaluation.plots.plot import PlotArguments, embed_word, plot
from darija_gpt.evaluation.plots.token_lengths import measure_token_lengths
from darija_gpt.evaluation.plots.tokens import choose_words, count_tokens, label_token
from darija_gpt.tokenizer import encode_texts


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_picture_stands_beside_its_numbers(tiny_llama_dir, dataset_dir, tmp_path, capsys):
    output_dir = tmp_path / "plots"
    arguments = PlotArguments(
        model=str(tiny_llama_dir), dataset=dataset_dir, output_dir=output_dir, words=["khouya", "سلام"]
    )
    plot(arguments)

    names = ["attention", "embedding_map", "embedding_neighbours", "positions", "token_lengths"]
    assert sorted(path.stem for path in output_dir.glob("*.png")) == names
    for name in names:
        with Image.open(output_dir / f"{name}.png") as picture:
            assert picture.format == "PNG" and picture.width > 300
        assert read(output_dir / f"{name}.csv")
    assert {row["word"] for row in read(output_dir / "embedding_neighbours.csv")} == {"khouya", "سلام"}
    assert "attention.png" in capsys.readouterr().out


def test_without_texts_there_are_no_token_lengths_and_the_vocabulary_tells_what_is_frequent(tiny_llama_dir, tmp_path):
    plot(
        PlotArguments(
            model=str(tiny_llama_dir),
            output_dir=tmp_path / "out",
            attention_layer=2,
            projection="pca",
            num_map_tokens=9,
        )
    )
    assert not (tmp_path / "out" / "token_lengths.png").exists()
    assert len(read(tmp_path / "out" / "embedding_map.csv")) == 9
    assert {row["panel"] for row in read(tmp_path / "out" / "attention.csv")} == {
        f"layer 2, head {head}" for head in (1, 2, 3, 4)
    }


def test_lengths_are_counted_in_characters_by_script(tokenizer):
    texts = {"Latn": ["salam khouya"], "Arab": ["😊"]}
    lengths = measure_token_lengths(tokenizer, texts)
    expected = Counter(len(tokenizer.decode([token])) for token in encode_texts(tokenizer, texts["Latn"])[0])
    assert lengths["Latn"] == expected
    assert lengths["Arab"].total() == len(encode_texts(tokenizer, ["😊"])[0])
    assert measure_token_lengths(tokenizer, {"mixed": ["½"]})["mixed"] == Counter({0: 2})


def test_a_label_shows_spaces_and_line_breaks_and_names_what_is_no_character(tokenizer):
    def label(text: str) -> list[str]:
        return [label_token(tokenizer, token) for token in encode_texts(tokenizer, [text])[0]]

    assert "".join(label("salam khouya\n")) == "salam·khouya↵"
    assert all(shown.startswith("#") for shown in label("½"))
    assert label_token(tokenizer, tokenizer.eos_token_id) == "<|endoftext|>"


def test_words_are_the_most_frequent_tokens_of_letters_each_once(tokenizer, darija):
    counts = count_tokens(tokenizer, darija)
    words = choose_words(tokenizer, [token for token, _ in counts.most_common()], 10)
    assert len(words) == 10 and "salam" in words and all(word.isalnum() and len(word) > 1 for word in words)
    assert "<|endoftext|>" not in choose_words(tokenizer, range(len(tokenizer)), 1000)


class SilentTokenizer:
    """Has no token for anything."""

    is_fast = False

    def __call__(self, text: str, **kwargs) -> dict[str, list[int]]:
        return {"input_ids": []}


def test_a_word_of_several_tokens_has_the_mean_of_their_vectors(tiny_llama, tokenizer):
    table = tiny_llama.model.embed_tokens.weight.detach().numpy()
    [ids] = encode_texts(tokenizer, ["qqzz"])
    assert len(ids) > 1
    assert embed_word(tokenizer, table, "qqzz") == pytest.approx(table[ids].mean(axis=0))
    with pytest.raises(ValueError, match="has no token"):
        embed_word(SilentTokenizer(), table, "x")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("sentence", " ", "sentence is empty"), ("num_neighbours", 0, "at least 1"), ("num_map_tokens", 3, "at least 4")],
)
def test_an_argument_that_cannot_be_meant_is_refused(name, value, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        PlotArguments(model="m", output_dir=tmp_path, **{name: value})


def test_nothing_is_written_where_the_sentence_is_too_long(tiny_llama_dir, tmp_path):
    with pytest.raises(ValueError, match="2 to 48"):
        plot(PlotArguments(model=str(tiny_llama_dir), output_dir=tmp_path / "out", sentence="salam " * 60))
    assert not (tmp_path / "out").exists()
