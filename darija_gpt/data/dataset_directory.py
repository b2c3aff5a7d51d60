"""dataset/ as a directory: its columns, how it is read again with all that may be wrong with it, and removed."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset, DatasetDict, Features, Value, load_from_disk

from darija_gpt.data.rows import Row
from darija_gpt.data.script_tags import detect_script
from darija_gpt.data.splits import SPLITS
from darija_gpt.output import find_leftovers


FEATURES = Features(
    {
        "text": Value("string"),
        "messages": [{"role": Value("string"), "content": Value("string")}],
        "source": Value("string"),
        "script": Value("string"),
        "conversation_id": Value("string"),
    }
)


def build_dataset(rows: Sequence[Row]) -> Dataset:
    """A split as a dataset; each row with its script."""
    columns = {
        "text": [row.text for row in rows],
        "messages": [row.messages for row in rows],
        "source": [row.source for row in rows],
        "script": [detect_script(row.text) for row in rows],
        "conversation_id": [row.conversation_id for row in rows],
    }
    return Dataset.from_dict(columns, features=FEATURES)


def load_dataset_directory(directory: str | Path) -> DatasetDict:
    """The dataset of a directory that `prepare_data` wrote.

    Raises:
        ValueError: If the directory is not one, or one that is damaged.
    """
    directory = Path(directory)
    remedy = "give a directory that prepare_data.py wrote"
    if not (directory / "dataset_dict.json").is_file():
        raise ValueError(f"{directory} is no dataset directory (no dataset_dict.json in it); {remedy}.")
    for split in SPLITS:
        # What `datasets` wrote of no rows it does not read.
        if (directory / split).is_dir() and not any((directory / split).glob("*.arrow")):
            raise ValueError(f"{directory}/{split} holds no rows; {remedy}.")
    try:
        dataset = load_from_disk(directory)
    except Exception as error:  # whatever the libraries make of a file that they did not write
        raise ValueError(
            f"{directory}: a file of this dataset is damaged or missing ({type(error).__name__}); prepare it again."
        ) from error
    for split in SPLITS:
        if split not in dataset:
            raise ValueError(f"{directory} has no {split} split; {remedy}.")
        missing = set(FEATURES) - set(dataset[split].column_names)
        if missing:
            raise ValueError(f"{directory}/{split} lacks the column {', '.join(sorted(missing))}; {remedy}.")
    if len(dataset["validation"]) == 0:
        raise ValueError(f"{directory}/validation holds no rows; {remedy}.")
    return dataset


def purge_dataset(output_dir: Path) -> None:
    """Removes a dataset, and what an interrupted run left beside it.

    Raises:
        ValueError: If the directory is none that this stage wrote; it is left alone then.
    """
    if output_dir.exists():
        is_dataset = (output_dir / "dataset_dict.json").is_file() and (output_dir / "report.json").is_file()
        if not is_dataset:
            raise ValueError(f"{output_dir} was not written by prepare_data.py, so nothing in it was removed.")
        shutil.rmtree(output_dir)
        print(f"removed {output_dir}")
    for leftover in find_leftovers(output_dir):
        shutil.rmtree(leftover)
        print(f"removed {leftover}")
    print(
        "exports, models, tokenizers and encoded tokens (of an unfinished run, or in a token_cache) are not touched; "
        "remove those that were made from it yourself."
    )
