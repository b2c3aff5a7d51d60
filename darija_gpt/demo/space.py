"""The folder of a Space: the page of a model on the Hub, with all of this project that it needs."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib import metadata
from pathlib import Path

from huggingface_hub import SpaceCardData
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from darija_gpt.demo.demo import DemoArguments
from darija_gpt.generation import SamplingArguments
from darija_gpt.loading import Task
from darija_gpt.markdown import TAGS, join_card
from darija_gpt.output import require_new, write_directory


PACKAGE = Path(__file__).parents[1]
APP = '''"""The page of {model}, as scripts/demo.py of darija_gpt wrote it."""

from darija_gpt.demo.pages import build_page, launch_page
from darija_gpt.generation import SamplingArguments


page = build_page(
    {model!r},
    {task!r},
    SamplingArguments({sampling}),
    base={base!r},
    system_prompt={system_prompt!r},
    source_prefix={source_prefix!r},
    max_source_length={max_source_length!r},
)

if __name__ == "__main__":
    launch_page(page)
'''
README = """\
# {name}

The page of [{model}](https://huggingface.co/{model}), with the limits of its card beside it.
It stores nothing of what is written: a conversation is gone when its page is closed.

`darija_gpt/` holds the modules of the project that `app.py` needs, so that nothing is installed that is not on PyPI,
and no code of the model's repository is run. If the model is private, give the Space a token that may read it, as the
secret `HF_TOKEN` in its settings.

```bash
pip install -r requirements.txt
python app.py
```
"""


def build_space(arguments: DemoArguments, task: Task) -> None:
    """Writes a Space to `arguments.space_dir`, ready to be pushed by publish.

    Args:
        arguments (`DemoArguments`):
            The model and how its page begins.
        task (`str`):
            What the model is for.

    Raises:
        ValueError: If the model is not named as it stands on the Hub, gradio is not installed, or the directory is not
            empty.
    """
    model = arguments.repo_id or arguments.model
    if arguments.repo_id is None and Path(model).is_dir():
        raise ValueError(f"model={model} is a directory; a Space loads from the Hub: say from where with --repo_id.")
    for name in filter(None, (model, arguments.base)):
        _check_hub_id(name)
    require_new(arguments.space_dir)
    modules, packages = find_needs("darija_gpt.demo.pages")
    requirements = sorted(_pin(package) for package in packages)
    usual = SamplingArguments()
    sampling = {field.name: getattr(arguments, field.name) for field in fields(usual)}
    changed = {name: value for name, value in sampling.items() if value != getattr(usual, name)}
    data = SpaceCardData(
        title=model.split("/")[-1],
        emoji="💬",
        sdk="gradio",
        sdk_version=metadata.version("gradio"),
        python_version=".".join(map(str, sys.version_info[:2])),
        app_file="app.py",
        license=arguments.license,
        models=[model],
        tags=TAGS,
    )
    files = {
        "README.md": join_card(data, README.format(name=model.split("/")[-1], model=model)),
        "requirements.txt": "\n".join(requirements) + "\n",
        "app.py": APP.format(
            model=model,
            task=task,
            sampling=", ".join(f"{name}={value!r}" for name, value in changed.items()),
            base=arguments.base,
            system_prompt=arguments.system_prompt,
            source_prefix=arguments.source_prefix,
            max_source_length=arguments.max_source_length,
        ),
    } | {path.relative_to(PACKAGE.parent).as_posix(): path.read_text(encoding="utf-8") for path in modules}
    with write_directory(arguments.space_dir) as directory:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    print(f"a Space of {len(files)} files for {model} ({task}) -> {arguments.space_dir}")


def find_needs(module: str) -> tuple[set[Path], set[str]]:
    """What a module of this project imports, and what those import in turn.

    Args:
        module (`str`):
            Its name, such as `darija_gpt.demo.pages`.

    Returns:
        `tuple`: the files of this project, and the names of the packages of PyPI.
    """
    files, packages, pending = set(), set(), [module]
    distributions = metadata.packages_distributions()
    while pending:
        name = pending.pop()
        top = name.partition(".")[0]
        if top != PACKAGE.name:
            if top not in sys.stdlib_module_names:
                packages.add(_choose_distribution(top, distributions))
            continue
        for path in _find_files(name):
            if path not in files:
                files.add(path)
                pending += _find_imports(path)
    return files, packages


def _find_files(module: str) -> Iterator[Path]:
    """The file of a module, and the `__init__.py` of each package that it stands in."""
    path = PACKAGE.parent
    for part in module.split("."):
        path = path / part
        if path.is_dir():
            yield path / "__init__.py"
        elif path.with_suffix(".py").is_file():
            yield path.with_suffix(".py")


def _find_imports(path: Path) -> Iterator[str]:
    home = ".".join(path.relative_to(PACKAGE.parent).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{home}.{node.module}" if node.level else node.module


def _choose_distribution(name: str, distributions: dict[str, list[str]]) -> str:
    try:
        return distributions[name][0]
    except KeyError:
        raise ValueError(
            f"the page needs {name}, which is not installed; run: pip install -c constraints.txt -e '.[demo]'"
        ) from None


def _pin(package: str) -> str:
    # torch's version names the build, such as 2.13.0+cpu, which PyPI does not know.
    return f"{package}=={metadata.version(package).partition('+')[0]}"


def _check_hub_id(name: str) -> None:
    try:
        validate_repo_id(name)
    except HFValidationError:
        raise ValueError(f"{name!r} is no name on the Hub; write it as user/name.") from None
    if "/" not in name:
        raise ValueError(f"{name} names no owner; write it as user/{name}.")
