"""Flows kept as files: a folder of `NAME.yaml`, each with its dialogues beside it in `NAME.test.yaml`."""

from pathlib import Path
from typing import Final

from hub.flows.dialogues import Table, read_table
from hub.flows.model import Finding, Flow, FlowError
from hub.flows.reading import read_flow

TABLES: Final = ".test.yaml"


def read_folder(folder: Path) -> tuple[dict[str, Flow], list[Finding]]:
    """Return the flows of a folder by name, and what keeps the others from being read."""
    flows: dict[str, Flow] = {}
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name.endswith(TABLES):
            continue
        try:
            flow = read_flow(path.read_text(encoding="utf-8"), str(path))
        except FlowError as error:
            findings += error.findings
        except (OSError, UnicodeDecodeError) as error:
            findings.append(Finding(file=str(path), line=1, text=f"The file cannot be read: {error}."))
        else:
            if flow.name in flows:
                findings.append(Finding(file=str(path), line=1, text=f"There is a flow {flow.name!r} in another file."))
            flows.setdefault(flow.name, flow)
    return flows, findings


def read_tables(folder: Path) -> list[tuple[Path, Table]]:
    """Return the dialogues of a folder.

    Raises:
        ValueError: a file is no such table; the text says where.
    """
    paths = sorted(folder.glob(f"*{TABLES}"))
    return [(path, read_table(path.read_text(encoding="utf-8"), str(path))) for path in paths]
