"""``freshwax init``: write the configuration file."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from freshwax import app
from freshwax.cli.output import write_file
from freshwax.cli.setup import Setup
from freshwax.config import LARGEST, default_file, example, expanded, market_of_locale, parse_setting, secret_in
from freshwax.errors import UsageError

_CLIENT_ID = re.compile("[0-9a-fA-F]{32}")
DASHBOARD = "https://developer.spotify.com/dashboard"


@click.command("init")
@click.option("--client-id", metavar="ID", help="Client ID of your Spotify app.")
@click.option(
    "--client-secret-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File that holds the client secret; - reads it from standard input.",
)
@click.option("--market", metavar="CC", help="Country whose catalogue is asked for. Default: from the locale.")
@click.option("--force", is_flag=True, help="Replace a configuration file that is there.")
@click.pass_obj
def command(
    setup: Setup, /, client_id: str | None, client_secret_file: Path | None, market: str | None, force: bool
) -> None:
    """Write the configuration file: every setting with its default, and your credentials, readable by you only.

    On a terminal it asks for what the options do not say.
    """
    target = expanded(setup.file or default_file())
    if target.is_dir():
        raise UsageError(f"{str(target)!r} is a folder; name a file.")
    if target.exists() and not force:
        raise UsageError(f"{str(target)!r} is there already: edit it, or replace it whole with --force.")
    app.refuse_database(target)
    secret = _secret(setup, client_secret_file)
    if sys.stdin.isatty() and str(client_secret_file) != "-":
        client_id, secret, market = _ask(client_id, secret, market)
    values = {
        name: parse_setting(name, text, option)
        for name, text, option in (
            ("market", market, "--market"),
            ("spotify.client_id", client_id, "--client-id"),
            ("spotify.client_secret", secret, "The client secret"),
        )
        if text
    }
    _write(target, example(values))
    next_ = "Next: `freshwax doctor` tests it, `freshwax artists import FILE` adds artists."
    setup.say(f"Written: {target}\n{_missing(client_id, secret)}{next_}")


def _missing(client_id: str | None, secret: str | None) -> str:
    """Return the line about credentials that were not given."""
    if client_id and secret:
        return ""
    if not client_id and not secret:
        return f"No credentials yet: put client_id and client_secret into it ({DASHBOARD}).\n"
    which = "client_secret" if client_id else "client_id"
    return f"No {which} yet: put it into the file as well ({DASHBOARD}).\n"


def _secret(setup: Setup, file: Path | None) -> str | None:
    """Return the secret that a file, or one line of standard input, holds; no more is read of it than a secret has."""
    if file is None:
        return None
    if str(file) != "-":
        text, warnings = secret_in(expanded(file), "--client-secret-file")
        for warning in warnings:
            setup.say(warning)
        return text
    try:
        text = sys.stdin.readline(LARGEST + 1).strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"The secret on standard input cannot be read: {reason}.") from None
    if len(text) > LARGEST:
        raise UsageError("The line on standard input is too long for a secret.")
    if not text:
        raise UsageError("Standard input holds no secret.")
    return text


def _ask(client_id: str | None, secret: str | None, market: str | None) -> tuple[str, str, str]:
    """Ask for what is missing; an empty answer leaves a setting for later."""
    if not client_id or not secret:
        click.echo(f"Credentials: create an app at {DASHBOARD}, open its settings, copy both values.", err=True)
    client_id = client_id or _prompt("Client ID", "spotify.client_id", "", form=_CLIENT_ID)
    secret = secret or _prompt("Client secret", "spotify.client_secret", "", hide_input=True)
    market = market or _prompt("Market (country code)", "market", market_of_locale(os.environ))
    return client_id, secret, market


def _prompt(
    question: str, setting: str, default: str, *, hide_input: bool = False, form: re.Pattern[str] | None = None
) -> str:
    """Ask until the answer will do: as the setting has it, and in this form."""

    def checked(text: str) -> str:
        if text and form is not None and not form.fullmatch(text.strip()):
            raise click.BadParameter("Spotify's client IDs have 32 digits and letters a to f: copy it once more.")
        if text:
            try:
                parse_setting(setting, text, "That")
            except UsageError as error:
                raise click.BadParameter(str(error)) from None
        return text

    answer: str = click.prompt(
        question, default=default, show_default=bool(default), hide_input=hide_input, err=True, value_proc=checked
    )
    return answer


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {str(target.parent)!r} cannot be made: {error.strerror}.") from None
    write_file(target, text, 0o600)
