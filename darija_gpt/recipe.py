"""Recipes: a YAML file fills the arguments of a stage, and the command line wins over it.

The top level of a recipe is exactly the stage's arguments dataclass. A field that is a mapping (`model:`, `lora:`)
is reached from the command line with a dot, `--model.norm layernorm`, or replaced in YAML: `--lora '{r: 8}'`. A recipe
that differs from another in a few keys names it, from where it stands itself, and gives those keys:
`extends: base.yaml`.
"""

import argparse
import dataclasses
import difflib
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from darija_gpt.output import keep_private, make_printable


Arguments = TypeVar("Arguments")


class RecipeError(ValueError):
    """A recipe or a command line that a stage cannot run."""


class _RecipeLoader(yaml.SafeLoader):
    """YAML whose `1e-3` is a number, as in YAML 1.2; PyYAML reads it as a string."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise RecipeError(f"{twice[0]} stands twice on one level; keep one of the two.")
        return node


_RecipeLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _read_yaml(text: str, where: str | Path) -> Any:
    """What a text says in YAML. `where` names it in an error."""
    try:
        return yaml.load(text, Loader=_RecipeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise RecipeError(f"{where}: not YAML: {_one_line(error)}") from None


class _OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage of a hundred flags above them."""

    def error(self, message: str):
        raise RecipeError(f"{message} (see --help)")


def check_keys(keys: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuses a key that is not known, and names the nearest one that is.

    Args:
        keys (`Iterable[str]`):
            The keys that came.
        known (`Iterable[str]`):
            The keys that exist.
        where (`str`):
            Where the keys stand, in the user's words: a file, or `model` in it.

    Raises:
        RecipeError: If a key is not known.
    """
    known = list(known)
    for key in keys:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            listed = f"known are {', '.join(known)}." if len(known) <= 60 else "see --help for those that exist."
            remedy = f"did you mean {nearest[0]}?" if nearest else listed
            raise RecipeError(f"{where}: unknown key {key}; {remedy}")


def load_recipe(path: str | Path) -> dict[str, Any]:
    """The mapping of a YAML file, with what it takes over from the recipe that it `extends`.

    Raises:
        RecipeError: If the file is missing, is no YAML, is no mapping, sets environment variables, or extends itself.
    """
    return _load_recipe(Path(path), ())


def merge_recipes(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe with some of its keys changed; of two mappings under one key, the keys are merged in turn."""
    merged = dict(base)
    for key, value in changes.items():
        is_mapping = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge_recipes(merged[key], value) if is_mapping else value
    return merged


def _load_recipe(path: Path, extending: tuple[Path, ...]) -> dict[str, Any]:
    try:
        recipe = _read_yaml(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        named_by = f"{extending[-1]} extends {path}, which is" if extending else f"{path}:"
        raise RecipeError(f"{named_by} no such recipe; give the path of a YAML file.") from None
    except IsADirectoryError:
        raise RecipeError(f"{path} is a directory; give the path of a YAML file.") from None
    except OSError as error:
        raise RecipeError(f"{path} cannot be read ({error.strerror}); give the path of a YAML file.") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path} is no UTF-8; save it in this encoding.") from None
    if not isinstance(recipe, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of keys to values, found {type(recipe).__name__}.")
    if "env" in recipe:
        # TrlParser exports these; a shared recipe could so redirect a token to another server.
        raise RecipeError(f"{path}: env: is refused, a recipe sets no environment variables; export them yourself.")
    if "extends" not in recipe:
        return recipe
    base = recipe.pop("extends")
    if not isinstance(base, str):
        raise RecipeError(f"{path}: extends={base!r} must be the path of a recipe.")
    if path.resolve() in extending:
        raise RecipeError(f"{path} extends itself, by way of others; take one extends: away.")
    return merge_recipes(_load_recipe(path.parent / base, (*extending, path.resolve())), recipe)


def parse_arguments(
    arguments_class: type[Arguments], argv: list[str] | None = None, description: str | None = None
) -> Arguments:
    """The arguments of a stage from `--config recipe.yaml` and the flags that win over it.

    Args:
        arguments_class (`type`):
            A dataclass. Each of its fields is a key of the recipe and a flag.
        argv (`list[str]`, *optional*):
            The command line, `sys.argv[1:]` by default.
        description (`str`, *optional*):
            The text above the flags in `--help`.

    Returns:
        An instance of `arguments_class`, every value converted to its field's type.

    Raises:
        RecipeError: If a key is unknown or missing, or a value is not of its field's type.
    """
    fields = {field.name: field for field in dataclasses.fields(arguments_class) if field.init}
    hints = typing.get_type_hints(arguments_class)
    parser = _build_parser(fields, hints, description)
    namespace, dotted = parser.parse_known_args(_spell_flags(sys.argv[1:] if argv is None else argv, fields))

    recipe_path = namespace.config
    values = load_recipe(recipe_path) if recipe_path else {}
    check_keys(values, fields, recipe_path or "recipe")
    words = {name: value for name, value in vars(namespace).items() if name != "config"}
    values |= {name: _read_words(name, value, hints[name]) for name, value in words.items()}
    for name, key, text in _pair_dotted(dotted, fields):
        if not isinstance(values.get(name) or {}, dict):
            raise RecipeError(f"{name}={values[name]!r} is no mapping, so --{name}.{key} cannot change it.")
        values[name] = {**(values.get(name) or {}), key: _read_yaml(text, f"--{name}.{key}")}

    return build_arguments(arguments_class, values)


def build_arguments(arguments_class: type[Arguments], values: Mapping[str, Any]) -> Arguments:
    """The arguments of a stage from the mapping that a recipe is.

    Raises:
        RecipeError: If a key is missing, or a value is not of its field's type.
    """
    hints = typing.get_type_hints(arguments_class)
    converted = {name: convert_value(name, value, hints[name]) for name, value in values.items()}
    for field in dataclasses.fields(arguments_class):
        if field.init and _is_required(field) and field.name not in converted:
            raise RecipeError(f"{field.name} is missing: set it in a recipe (--config) or as --{field.name}.")
    return arguments_class(**converted)


def run_stage(
    stage: Callable[[Arguments], Any],
    arguments_class: type[Arguments],
    argv: list[str] | None = None,
    description: str | None = None,
) -> None:
    """Runs a stage as a script does: bad input is one line on stderr and exit code 2.

    Args:
        stage (`Callable`):
            The one function of the stage. An exit code other than 0 is the code of the SystemExit it raises.
        arguments_class (`type`):
            The dataclass that it takes.
        argv (`list[str]`, *optional*):
            The command line, `sys.argv[1:]` by default.
        description (`str`, *optional*):
            The script's docstring.
    """
    for stream in (sys.stdout, sys.stderr):
        # Arabic in a terminal that is not UTF-8 must not end a run of hours.
        stream.reconfigure(errors="replace")
    try:
        arguments = parse_arguments(arguments_class, argv, description)
        with keep_private():
            stage(arguments)
    except (ValueError, OSError) as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def run_one_of(stages: Mapping[str, tuple[Callable, type]], description: str) -> None:
    """Runs the stage that the first word of the command line names, as `run_stage` does.

    Args:
        stages (`Mapping[str, tuple[Callable, type]]`):
            A stage and the dataclass that it takes, by name.
        description (`str`):
            The script's docstring.
    """
    name, *argv = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(f"{description.strip()}\n\nThe first word is one of: {', '.join(stages)}. Each has its own --help.")
        return
    if name not in stages:
        print(f"error: the first word was {name}; give one of: {', '.join(stages)}.", file=sys.stderr)
        sys.exit(2)
    run_stage(*stages[name], argv, description)


def _spell_flags(words: Iterable[str], fields: Iterable[str]) -> list[str]:
    """A command line on which `--dry-run` is `--dry_run`."""
    spelt = []
    for word in words:
        flag, equals, text = word.partition("=")
        name, dot, key = flag.removeprefix("--").partition(".")
        is_known = flag.startswith("--") and name.replace("-", "_") in fields
        spelt.append(f"--{name.replace('-', '_')}{dot}{key}{equals}{text}" if is_known else word)
    return spelt


def _build_parser(fields: Mapping[str, dataclasses.Field], hints: Mapping[str, Any], description: str | None):
    parser = _OneLineParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="RECIPE", default=None, help="a YAML file with any of the keys below")
    for name, field in fields.items():
        text = str(field.metadata.get("help", "")).replace("%", "%%")
        text = f"{text} ({_describe_default(field)})".strip()
        parser.add_argument(f"--{name}", help=text, **_flag_shape(name, hints[name]))
    return parser


def _describe_default(field: dataclasses.Field) -> str:
    if _is_required(field):
        return "required"
    default = field.default_factory() if field.default is dataclasses.MISSING else field.default
    if isinstance(default, list):
        default = " ".join(map(str, default)) or "none"
    return f"default: {default}".replace("%", "%%")


def _read_words(name: str, words: str | list[str], hint: Any) -> Any:
    """What the words of a flag give: mappings, and lists of them, are written as in YAML, and so is `null`."""
    members = _list_members(hint)
    if words == "null" and types.NoneType in members:
        return None
    entries = [entry for member in members for entry in (member, *typing.get_args(member))]
    if str in members or not any(dataclasses.is_dataclass(entry) or _origin(entry) is dict for entry in entries):
        return words
    if isinstance(words, str):
        return _read_yaml(words, f"--{name}")
    read = [_read_yaml(word, f"--{name}") for word in words]
    return [entry for value in read for entry in (value if isinstance(value, list) else [value])]


def _list_members(hint: Any) -> tuple[Any, ...]:
    """The types of which a value may be one."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _origin(hint: Any) -> Any:
    """`list` of `list[str]`."""
    return typing.get_origin(hint) or hint


def _flag_shape(name: str, hint: Any) -> dict[str, Any]:
    """How many words a flag takes; their types are the business of `convert_value`."""
    origins = set(map(_origin, _list_members(hint)))
    if bool in origins and str not in origins:
        return {"nargs": "?", "const": "true", "metavar": "BOOL"}
    if list in origins and str not in origins:
        return {"nargs": "*", "metavar": name.upper()}
    return {"metavar": name.upper()}


def _pair_dotted(words: list[str], fields: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    """(field, key, text) of `--field.key text` and `--field.key=text`; anything else is an unknown flag."""
    words = list(words)
    while words:
        flag, equals, text = words.pop(0).partition("=")
        name, dot, key = flag.removeprefix("--").partition(".")
        if not flag.startswith("--"):
            raise RecipeError(f"command line: {flag} stands where no value was expected (see --help).")
        check_keys([name if dot else flag.removeprefix("--")], fields, "command line")
        if not equals:
            if not words:
                raise RecipeError(f"command line: --{name}.{key} needs a value.")
            text = words.pop(0)
        yield name, key, text


def convert_value(name: str, value: Any, hint: Any) -> Any:
    """A value of a recipe as its type hint wants it.

    Raises:
        RecipeError: If it is of another type, with `name` as its place in the recipe.
    """
    _check_nested(name, value, hint)
    try:
        config = None if dataclasses.is_dataclass(hint) else ConfigDict(arbitrary_types_allowed=True)
        return TypeAdapter(hint, config=config).validate_python(value)
    except ValidationError as error:
        detail = error.errors()[0]
        where = _spell_place(name, value, detail["loc"])
        if detail["type"] == "missing":
            raise RecipeError(f"{where}.{detail['loc'][-1]} is missing.") from None
        if detail["type"] == "value_error":
            raise RecipeError(f"{where}: {detail['ctx']['error']}") from None
        message = f"{detail['msg'][0].lower()}{detail['msg'][1:]}"
        raise RecipeError(f"{where}={detail['input']!r}: {message}.") from None


def _check_nested(where: str, value: Any, hint: Any) -> None:
    """Refuses unknown keys of mappings that become dataclasses, which pydantic would drop without a word, true and
    false where a number belongs, which it would take for 1 and 0, and an empty path, which would be this directory."""
    if value == "" and Path in _list_members(hint):
        raise RecipeError(f"{where} is empty, where a path was expected; a dot is the directory that you are in.")
    if isinstance(value, bool) and {int, float} & {*_list_members(hint)} and bool not in _list_members(hint):
        raise RecipeError(f"{where}={value}: a number was expected.")
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        hints = typing.get_type_hints(hint)
        check_keys(value, [field.name for field in dataclasses.fields(hint) if field.init], where)
        for key, nested in value.items():
            _check_nested(f"{where}.{key}", nested, hints[key])
    elif typing.get_origin(hint) is list and isinstance(value, list):
        for index, entry in enumerate(value):
            _check_nested(f"{where}[{index}]", entry, *typing.get_args(hint))
    elif typing.get_origin(hint) in (typing.Union, types.UnionType):
        for member in typing.get_args(hint):
            _check_nested(where, value, member)


def _spell_place(name: str, value: Any, path: Iterable[str | int]) -> str:
    """`sources[0].weight` of pydantic's path to a value, without the types that it lists on the way."""
    for part in path:
        if isinstance(value, list) and isinstance(part, int):
            name, value = f"{name}[{part}]", value[part]
        elif isinstance(value, Mapping) and part in value:
            name, value = f"{name}.{part}", value[part]
    return name


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _one_line(error: Exception) -> str:
    """An error's text on one line, fit for a terminal; an OSError without its number."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return make_printable(" ".join(text.split())) or type(error).__name__
