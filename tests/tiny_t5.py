"""A tiny T5 whose tokenizer knows the words of a few invented articles, and the articles with their headlines."""

import json
import random
from pathlib import Path


# A rule to learn: the headline belongs to one word of the article.
HEADLINES = {
    "السوق": "الأثمنة طالعة فالسوق",
    "الشتا": "الشتا جاية غدا",
    "الماتش": "الفرقة ديالنا ربحات",
    "tran": "tran t3etel bezzaf",
    "lbher": "lbher hayj lyouma",
    "lmedrasa": "lmedrasa sadda had simana",
}
BEGINNINGS = ("Nhar tnin jat wahd lkhbira", "قالو الناس بلي كاين جديد", "Hadchi kamel tra lbareh", "هادشي وقع البارح")
MIDDLES = ("w hadro 3la {}.", "وهضرو على {}.", "o kan {} howa lmoudou3.", "وكان {} هو الموضوع.")
ENDS = ("Ma zal ma tqal walo akhor.", "وما زال ما تقال والو.", "Kolchi bqa yetsenna.")


def write_articles(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Rows of an article, its headline and a number; no article stands twice."""
    draw, rows = random.Random(seed), {}
    for number in range(count):
        word = draw.choice(list(HEADLINES))
        article = f"{draw.choice(BEGINNINGS)} {number} {draw.choice(MIDDLES).format(word)} {draw.choice(ENDS)}"
        rows[article] = {"article": article, "headline": HEADLINES[word]}
    return list(rows.values())


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Saves rows as JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def train_pieces(texts: list[str], vocab_size: int) -> list[tuple[str, float]]:
    """A Unigram vocabulary in the order of T5's: padding, end, unknown, pieces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    trained = Tokenizer(models.Unigram())
    trained.normalizer = normalizers.NFKC()
    trained.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    trained.train_from_iterator(texts, trainer)
    return [tuple(piece) for piece in json.loads(trained.to_str())["model"]["vocab"]]


def save_tiny_t5(directory: Path, texts: list[str], *, d_model: int = 32, vocab_size: int = 200) -> Path:
    """A random T5 of one layer and a tokenizer trained on texts, as the Hub has FLAN-T5: with a head of its own."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    tokenizer = T5Tokenizer(vocab=train_pieces(texts, vocab_size), extra_ids=0)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=d_model,
        d_kv=8,
        d_ff=2 * d_model,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    T5ForConditionalGeneration(config).save_pretrained(directory)
    weights = load_file(directory / "model.safetensors")
    weights["lm_head.weight"] = torch.randn(len(tokenizer), d_model) * d_model**-0.5
    save_file(weights, directory / "model.safetensors", {"format": "pt"})
    written = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    del written["scale_decoder_outputs"]
    (directory / "config.json").write_text(json.dumps({**written, "tie_word_embeddings": False}), encoding="utf-8")
    tokenizer.save_pretrained(directory)
    return directory
