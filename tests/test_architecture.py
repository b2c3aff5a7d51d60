"""The floors of the package, and what an import may cost."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "darija_gpt"

# From the ground up: a module may import what stands on a lower line, and its neighbours where the line says so.
FLOORS = [
    {"output", "hardware", "recipe", "markdown", "data", "model", "control_tokens", "display"}
    | {"durable", "fingerprint", "faults", "records", "flops", "peak_flops", "run_lock", "stop_request"},
    {"tokenizer", "encoding", "packing", "token_store", "lane_blocks", "streaming", "optimization", "checkpoint"}
    | {"muon", "training_loss", "goldfish", "manifest", "step_guard", "neural_lm", "architectures"},
    {"evaluation", "generation", "chat_examples", "adapters", "loading", "classifiers", "seq2seq", "formats"}
    | {"conversion"},
    {"pretraining", "missing_inputs", "training_data", "training_run", "training_step", "training_log", "run_record"}
    | {"training_bounds", "training_view", "training_samples", "progress_bar", "sharding", "trackers", "finetuning"}
    | {"model_fields", "memory_watch", "running_statistics"}
    | {"conversation", "chat"},
    {"card", "hub", "publishing", "benchmark", "demo", "ablation"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))
# What the code that travels with the weights may need where it arrives.
TRAVELLING_IMPORTS = {"torch", "transformers", "huggingface_hub", "collections", "inspect", "math", "typing"}


def name_of(path: Path) -> str:
    """`tokenizer` of darija_gpt/tokenizer.py, `data` of darija_gpt/data/corpus.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def find_imports(path: Path) -> list[str]:
    """The modules that a file imports, anywhere in it, as written; relative ones with their dots."""
    imports = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append("." * node.level + (node.module or ""))
    return imports


def test_the_guide_for_contributors_lists_every_module_on_its_floor():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = guide.partition("    scripts\n")[2].partition("\n\n")[0]
    names = re.findall(r"\w+", re.sub(r"and what a run rests\s+on:", "", block))
    assert [FLOOR_OF[name] for name in names] == sorted((FLOOR_OF[name] for name in names), reverse=True)
    assert sorted(names) == sorted(FLOOR_OF)


def test_the_guide_for_contributors_tells_the_module_of_each_script_that_has_another_name():
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)\.py` \| `([\w/]+)(?:\.py|/)`", guide, re.MULTILINE))
    called = {}
    for script in ROOT.glob("scripts/*.py"):
        (module, *_) = [name for name in find_imports(script) if name != "darija_gpt.recipe"]
        called[script.stem] = module.removeprefix("darija_gpt.").replace(".", "/")
    called["benchmark"] = "benchmark"  # one module for each of its commands
    assert listed == {script: module for script, module in called.items() if Path(module).name != script} | {
        "benchmark": "benchmark"
    }


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent != PACKAGE or p.name != "__init__.py"], ids=lambda path: path.stem
)
def test_every_module_stands_on_a_floor_and_imports_none_above_it(path):
    home = name_of(path)
    assert home in FLOOR_OF, f"give {home} a floor"
    for imported in find_imports(path):
        if imported.startswith("darija_gpt."):
            target = imported.split(".")[1]
            assert FLOOR_OF[target] <= FLOOR_OF[home], f"{path.name} imports {imported} from a floor above"
            if home in ("data", "model"):
                assert target in (home, "output", "recipe", "markdown"), f"{home}/ knows of {imported}"


@pytest.mark.parametrize(
    "path",
    [*sorted((PACKAGE / "model").glob("*_darija_gpt.py")), PACKAGE / "neural_lm.py"],
    ids=lambda path: path.name,
)
def test_the_code_that_travels_imports_only_its_siblings_and_what_its_readers_have(path):
    for imported in find_imports(path):
        is_sibling = imported.startswith(".") and (PACKAGE / "model" / f"{imported[1:]}.py").is_file()
        assert is_sibling or imported.split(".")[0] in TRAVELLING_IMPORTS, f"{path.name} imports {imported}"


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.name)
def test_a_script_only_parses_and_calls(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    _, *imports, main = tree.body
    assert "python scripts/" in ast.get_docstring(tree) or "accelerate launch scripts/" in ast.get_docstring(tree)
    assert all(isinstance(node, ast.ImportFrom) and node.module.startswith("darija_gpt.") for node in imports)
    assert isinstance(main, ast.If) and len(main.body) == 1 and isinstance(main.body[0].value, ast.Call)
    assert main.body[0].value.func.id in ("run_stage", "run_one_of")


@pytest.mark.parametrize(
    "module",
    [
        "darija_gpt",
        "darija_gpt.data",
        "darija_gpt.data.corpus",
        "darija_gpt.data.labelled",
        "darija_gpt.data.preferences",
        "darija_gpt.data.privacy",
        "darija_gpt.data.sources",
        "darija_gpt.data.text_pairs",
        "darija_gpt.recipe",
    ],
)
def test_importing_what_needs_no_model_imports_no_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_forward_passes_ask_no_configuration():
    for path in [*(PACKAGE / "model").glob("*_darija_gpt.py"), PACKAGE / "neural_lm.py"]:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or function.name != "forward":
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.If | ast.IfExp):
                    assert "config" not in ast.unparse(node.test), f"{path.name} branches on {ast.unparse(node.test)}"


# What writes to the directory of a training run.
RUN_MODULES = [
    *("checkpoint", "manifest", "pretraining", "run_record", "token_store", "trackers", "training_data"),
    *("training_log", "training_run", "training_samples", "training_step", "training_view"),
]
# Ways to change a file, of Python and of the libraries that training uses.
WRITERS = {
    *("write_text", "write_bytes", "mkdir", "makedirs", "rename", "unlink", "rmdir", "touch", "rmtree", "symlink_to"),
    *("copyfile", "copy2", "copytree", "move", "fsync", "truncate", "ftruncate", "tofile", "dump", "save", "write"),
    *("save_state", "save_file", "save_model", "save_pretrained", "save_tokenizer", "save_to_disk"),
}


@pytest.mark.parametrize("module", RUN_MODULES)
def test_what_a_run_writes_passes_through_durable_where_tests_interrupt_it(module):
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    through_durable = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "durable.write_by":
            through_durable |= {id(node) for node in ast.walk(call)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or id(call) in through_durable:
            continue
        owner, _, name = ast.unparse(call.func).rpartition(".")
        if owner == "durable" or (not owner and name in defined):
            continue
        assert name not in WRITERS, f"{module} calls {ast.unparse(call.func)} past darija_gpt/durable.py"
        if name == "open":
            mode = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
            assert mode in ([], ["rb"]), f"{module} opens a file to write, past darija_gpt/durable.py"
    for node in ast.walk(tree):
        # An imported name would not be replaced by the tests.
        assert not (isinstance(node, ast.ImportFrom) and node.module == "darija_gpt.durable")
