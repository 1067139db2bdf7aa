"""docs/cli.md tells of every command and every option, and of none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from api.cli import app

TEXT = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(command: click.Command, name: str = "invoicer") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, below in children.items():
        yield from commands(below, f"{name} {child}")


def sections() -> Iterator[tuple[set[str], str]]:
    """(commands a section is about, its text): `invoicer kb versions, diff` is two."""
    for part in TEXT.split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        if title.startswith("invoicer "):
            words = re.sub(r" [A-Z.\[\]]+", "", title).split(", ")
            group = words[0].rpartition(" ")[0]
            yield {words[0], *(f"{group} {word}" for word in words[1:])}, text


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert set().union(*(names for names, _ in sections())) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    (text,) = [text for names, text in sections() if name in names]
    options = [
        option
        for parameter in COMMANDS[name].params
        for option in parameter.opts
        if option.startswith("-") and option != "--help"
    ]
    assert [option for option in options if f"`{option}" not in text] == []


def test_the_examples_are_commands_that_exist() -> None:
    for line in re.findall(r"^invoicer .*", TEXT, re.MULTILINE):
        words = line.split()
        assert " ".join(words[:2]) in COMMANDS or " ".join(words[:3]) in COMMANDS, line
