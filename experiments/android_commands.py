"""The commands about phones: serve a simulated one to whatever speaks adb."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from simonides.experiments.elsewhere import attribute

DAEMON = "simonides.envs.android.adbd.daemon:AdbDaemon"
PHONE = "simonides.envs.android.simulated.apps:phone"

android = typer.Typer(help="Simulated Android phones.", no_args_is_help=True)


def join(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(android, name="android")


@android.callback()
def _group() -> None:
    """Serve and drive simulated Android phones."""


@android.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 is any that is free.")] = 5555,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what the phone's apps hold.")] = 0,
) -> int:
    """Start a simulated phone that adb, adbutils and uiautomator2 can use, until Ctrl-C."""
    with attribute(DAEMON)(attribute(PHONE)(seed), port) as daemon:
        typer.echo(f"A simulated phone of seed {seed} is served; no other machine can reach it. Connect with:")
        typer.echo(f"  adb connect {daemon.serial}")
        typer.echo("Ctrl-C ends it.")
        threading.Event().wait()
    return 0
