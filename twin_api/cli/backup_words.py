"""How a backup or a restore ends, in words, and the bar that is shown meanwhile."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.progress import Progress

from twin_api.backup.client import ClientFailed
from twin_api.backup.folder import FolderBusy
from twin_api.backup.in_force import NotTheSame
from twin_api.backup.manifest import FormUnknown
from twin_api.backup.place import PlaceTaken, RestoreUnderWay
from twin_api.backup.restore import PepperDiffers, RevisionUnknown
from twin_api.backup.sealed import Damaged, KeyUnfit, WrongKey
from twin_api.backup.take import ApplyUnderWay, NothingToBackUp
from twin_api.cli import context
from twin_api.policy.finding import PolicyInvalid, render
from twin_api.publish.layer_plan import LayersRefused
from twin_api.publish.migrate import StoreUnfit
from twin_api.texts import Text

INTERRUPTED: Final = 130
NEWER: Final = Text(
    "Die Sicherung stammt von einer neueren Version des Programms.", "The backup was made by a newer version of the program."
)
_SAID: Final[dict[type[Exception], Text]] = {
    NothingToBackUp: context.NOT_SET_UP,
    ApplyUnderWay: Text(
        "Richtlinien werden gerade angewendet und kommen zu keinem Ende.", "Policies are being applied and do not come to an end."
    ),
    FolderBusy: Text("In diesen Ordner wird schon eine Sicherung geschrieben.", "A backup is being written to this folder already."),
    WrongKey: Text("Dieser Schlüssel öffnet die Sicherung nicht.", "This key does not open the backup."),
    Damaged: Text("Die Sicherung ist beschädigt, unvollständig oder gar keine.", "The backup is damaged, incomplete, or none at all."),
    FormUnknown: NEWER,
    RevisionUnknown: NEWER,
    PlaceTaken: Text(
        "In dieser Datenbank steht schon eine Stadt. Mit `--replace` tritt die Sicherung an ihre Stelle, oder mit `--into NAME` daneben.",
        "This database holds a town already. `--replace` puts the backup in its place, `--into NAME` beside it.",
    ),
    PepperDiffers: Text(
        "Der Ordner `TWIN_SECRETS` gehört zu anderen Zugangstokens: einen eigenen angeben, oder `--replace-pepper` macht sie ungültig.",
        "The folder `TWIN_SECRETS` belongs to other tokens: name another one, or make them invalid with `--replace-pepper`.",
    ),
    RestoreUnderWay: Text("Dorthin wird gerade eine Sicherung eingespielt.", "A backup is being restored to this place just now."),
}
NOTHING_CHANGED: Final = Text("Nichts wurde geändert.", "Nothing was changed.")


@contextmanager
def ending_clearly() -> Iterator[None]:
    """Whatever ends the command early is said in words; SIGTERM ends it as tidily as Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except tuple(_SAID) as fact:
        context.fail(_with_nothing_changed(_SAID[type(fact)]))
    except KeyUnfit as unfit:
        context.fail(Text(f"Kein Schlüssel: `{unfit}`.", f"No key: `{unfit}`."))
    except NotTheSame as other:
        listed = ", ".join(other.what)
        context.fail(
            _with_nothing_changed(Text(f"Nach dem Einspielen anders als gesichert: {listed}.", f"Restored, these differ: {listed}."))
        )
    except (ClientFailed, StoreUnfit, OSError) as reason:
        context.fail(Text(f"Das geht hier nicht: {reason}", f"This cannot be done here: {reason}"))
    except LayersRefused as refused:
        context.fail_all(refused.reasons)
    except PolicyInvalid as invalid:
        context.errors.print(render(invalid.findings, context.settings().lang), markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        context.errors.print(_with_nothing_changed(Text("Abgebrochen.", "Interrupted.")).say(context.settings().lang), markup=False)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _with_nothing_changed(text: Text) -> Text:
    return Text(f"{text.de} {NOTHING_CHANGED.de}", f"{text.en} {NOTHING_CHANGED.en}")


@contextmanager
def bar() -> Iterator[Callable[[str, int, int | None], None]]:
    with Progress(console=context.errors, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("…", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


def size(octets: int) -> str:
    return f"{octets / 1e6:,.1f} MB"
