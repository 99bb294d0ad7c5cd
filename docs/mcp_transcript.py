"""Print the transcript of docs/mcp.md: a real client asks a real `odbench mcp`.

python docs/mcp_transcript.py            print it
python docs/mcp_transcript.py --write    put it into docs/mcp.md
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

PAGE = Path(__file__).with_name("mcp.md")
START, END = "<!-- transcript -->\n", "<!-- end of transcript -->\n"
CALLS = (
    ("list_tables", {}),
    ("score_table", {"table": "payments.csv", "detector": "knn", "top": 1}),
    ("explain_row", {"table": "payments.csv", "row": 17, "detector": "knn"}),
    ("score_table", {"table": "../secret.csv"}),
    ("score_table", {"table": "link.csv"}),
    ("score_table", {"table": "/etc/passwd"}),
)


def make_world(place: Path) -> Path:
    """Write a folder with a table, and a secret beside it that a link leads to."""
    folder = place / "tables"
    folder.mkdir()
    rows = ["payment,amount,items,country"]
    for n in range(40):
        items = 1 + n * 7 % 5
        amount = 19.9 * items + n * 13 % 10
        rows.append(f"P{n:03d},{amount:.2f},{items},{('DE', 'FR')[n % 2]}")
    rows[1 + 17] = "P017,4990.00,2,FR"
    (folder / "payments.csv").write_text("\n".join(rows) + "\n")
    (place / "secret.csv").write_text("password\nhunter2\n")
    (folder / "link.csv").symlink_to(place / "secret.csv")
    return folder


async def ask(
    folder: Path, calls: Sequence[tuple[str, dict[str, Any]]], *options: str
) -> list[tuple[bool, str]]:
    """Return the answers of a server, as (is an error, text)."""
    arguments = ["-m", "odbench", "mcp", "--folder", str(folder), *options]
    kept = {k: v for k, v in os.environ.items() if k.startswith("ODBENCH_")}
    server = StdioServerParameters(command=sys.executable, args=arguments, env=kept)
    async with Client(stdio_client(server)) as client:
        found = [await client.call_tool(name, asked) for name, asked in calls]
    return [(bool(each.is_error), each.content[0].text) for each in found]


def transcript() -> str:
    """Return the transcript as a block of Markdown."""
    with tempfile.TemporaryDirectory() as place:
        answers = asyncio.run(ask(make_world(Path(place)), CALLS))
    blocks = []
    for (name, asked), (failed, text) in zip(CALLS, answers, strict=True):
        mark = "refused: " if failed else ""
        blocks.append(f"> {name} {json.dumps(asked)}\n{mark}{text}\n")
    return "```text\n" + "\n".join(blocks) + "```\n"


if __name__ == "__main__":
    told = transcript()
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(START)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{START}{told}{END}{after}", encoding="utf-8")
    else:
        sys.stdout.write(told)
