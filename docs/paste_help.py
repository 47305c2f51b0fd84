"""Paste every command's --help into docs/commands.md; a test fails when the page is stale.

Run it with: make docs
"""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from leukoscope.cli.application import VERBS, app
from leukoscope.cli.data import app as data_app

PAGE = Path(__file__).with_name("commands.md")
HEAD = """# Commands

Pasted from `--help` by `make docs`; a test fails when this page is stale.

Every verb has `--json` for machines where it prints a result, and `--quiet` where it reports
progress. Progress goes to stderr, results to stdout. Exit codes: 0 done, though some images may
have failed (they are counted); 1 done, and the answer is no (`check --fail-on`, `data verify`);
2 the call or its input was wrong; 3 disk, memory or network failed; 130 interrupted, resumable.
Where a verb writes (`-o`) is looked at before it works: another kind of name (`.csv`, `.json`,
`.html`), the input itself, or a place that takes no file is refused.
"""


def page() -> str:
    """The whole page as it should be."""
    commands = [[name] for name in VERBS]
    data_verbs = [str(info.name) for info in data_app.registered_commands]
    commands += [["data", name] for name in data_verbs]
    runner = CliRunner()
    parts = [HEAD]
    for command in commands:
        result = runner.invoke(
            app, [*command, "--help"], prog_name="leukoscope", env={"COLUMNS": "96"}
        )
        text = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
        parts.append(f"## leukoscope {' '.join(command)}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
