"""The folder of a Space, run as the Hub runs it: by an interpreter that knows nothing else of this project."""

import os
import re
import subprocess
import sys

import pytest
from hub_stand_in import HubStandIn, Repository
from huggingface_hub import RepoCard

from darija_gpt.demo.demo import DemoArguments, demo


pytest.importorskip("gradio", reason="the pages need gradio: pip install -c constraints.txt -e '.[demo]'")

MODEL = "someone/darija-small"
INSTRUCTION = """jaweb "b" {darija} '''"""
LIMITS = "# Darija small\n\n## Limits\n\nIt was made up by a test.\n"


@pytest.fixture
def space_dir(tiny_llama_dir, tmp_path):
    demo(
        DemoArguments(
            model=str(tiny_llama_dir),
            repo_id=MODEL,
            space_dir=tmp_path / "space",
            temperature=0.7,
            max_new_tokens=16,
            system_prompt=INSTRUCTION,
        )
    )
    return tmp_path / "space"


def test_a_space_loads_its_model_from_the_hub_and_nothing_from_here(space_dir, tmp_path):
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
    from darija_gpt.tokenizer import train_tokenizer

    # A model of the project's own, to whose code the Hub's visitors would have to agree.
    tokenizer = train_tokenizer(["salam labas"] * 4, vocab_size=300)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = DarijaGPTForCausalLM(DarijaGPTConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **sizes))
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text(LIMITS)
    files = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    program = (
        "import app, darija_gpt, sys; print(darija_gpt.__file__); print(type(app.page).__name__);"
        "print([c['props'].get('value') for c in app.page.config['components']]);"
        "print(sorted(n for n in sys.modules if n.startswith('transformers_modules')))"
    )
    with HubStandIn() as hub:
        hub.repositories[MODEL] = Repository(private=False, commits=[files])
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= hub.environment | {"HF_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=space_dir, env=environment, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    home, kind, values, remote = done.stdout.strip().splitlines()
    assert home == str(space_dir / "darija_gpt" / "__init__.py") and kind == "Blocks"
    assert "It was made up by a test." in values
    assert repr(INSTRUCTION) in values
    assert remote == "[]", "code of the model's repository was run"


def test_the_front_matter_and_the_requirements_are_what_the_hub_needs(space_dir):
    import gradio

    card = RepoCard.load(space_dir / "README.md", repo_type="space").data.to_dict()
    assert card["sdk"] == "gradio" and card["sdk_version"] == gradio.__version__
    assert card["app_file"] == "app.py" and card["models"] == [MODEL] and card["license"] == "apache-2.0"
    requirements = (space_dir / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+==\d[\w.]*", requirement) for requirement in requirements)
    names = {requirement.partition("==")[0].lower() for requirement in requirements}
    assert {"gradio", "torch", "transformers"} <= names and "darija_gpt" not in names


def test_a_space_holds_only_what_it_needs_of_the_project(space_dir):
    files = {path.relative_to(space_dir).as_posix() for path in space_dir.rglob("*") if path.is_file()}
    assert {"README.md", "app.py", "requirements.txt"} == {name for name in files if "/" not in name}
    assert "darija_gpt/model/modeling_darija_gpt.py" in files
    assert not any(name.startswith(("darija_gpt/data", "darija_gpt/finetuning")) for name in files)
    assert (
        "temperature=0.7" in (space_dir / "app.py").read_text() and "top_k" not in (space_dir / "app.py").read_text()
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repo_id": None}, "is a directory; a Space loads from the Hub"),
        ({"repo_id": "darija"}, "write it as user/darija"),
        ({"repo_id": "../x y"}, "is no name on the Hub"),
        ({"base": "runs/base/of/mine"}, "is no name on the Hub"),
    ],
)
def test_a_space_without_a_model_on_the_hub_is_refused(tiny_llama_dir, tmp_path, changes, words):
    fields = {"model": str(tiny_llama_dir), "repo_id": MODEL, "space_dir": tmp_path / "space"} | changes
    with pytest.raises(ValueError, match=words):
        demo(DemoArguments(**fields))
    assert not (tmp_path / "space").exists()


def test_another_folder_is_left_alone(space_dir, tiny_llama_dir):
    before = sorted(space_dir.rglob("*"))
    with pytest.raises(ValueError, match="already holds another run"):
        demo(DemoArguments(model=str(tiny_llama_dir), repo_id=MODEL, space_dir=space_dir))
    assert sorted(space_dir.rglob("*")) == before
