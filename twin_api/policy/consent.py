"""Whether a department may agree to a release now, and to which wording.

Must never let an approval be given twice, by somebody who was not asked, or for a grant that stands in another role's file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NoReturn

from twin_api.policy.approvals import Approval, seal
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.policy.yaml_file import is_hidden
from twin_api.texts import Text

LONGEST_NAME: Final = 200


class ConsentRefused(Exception):  # a fact about the policies, not a failure of the program
    """This approval cannot be given; `why` says it in a sentence, with what would be right."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.say("en"))
        self.why = why


def consent(policies: Policies, role: str, collection: str, department: str, by: str, on: date) -> tuple[Grant, Approval]:
    """The approval as it is to be written, and the grant it is for. Raises `ConsentRefused`."""
    grant = _grant(policies, role, collection)
    if department not in policies.town.departments:
        _refuse_unknown(Text("Ein Amt", "department"), department, policies.town.departments)
    _check_asked(grant, department)
    name = " ".join(by.split())
    if not name or len(name) > LONGEST_NAME or any(is_hidden(letter) for letter in name):
        raise ConsentRefused(Text("Wer zustimmt? Einen lesbaren Namen angeben: `--by \"M. Beispiel\"`.",
                                  "Who approves? Give a readable name: `--by \"M. Beispiel\"`."))  # fmt: skip
    return grant, Approval(role, collection, department, name, on, seal(grant))


def _grant(policies: Policies, role: str, collection: str) -> Grant:
    """The grant that stands in the role's own file."""
    if role not in policies.roles:
        _refuse_unknown(Text("Eine Rolle", "role"), role, policies.roles)
    grants = policies.roles[role].grants
    if collection not in grants:
        _refuse_unknown(Text(f"In {role} eine Collection", f"collection in {role} called"), collection, grants)
    grant = grants[collection][0]
    if grant.file_role != role:
        raise ConsentRefused(Text(
            f"{quoted(collection)} hat {role} von {grant.file_role} ({grant.place}); zugestimmt wird dort: "
            f"`twin policy approve {grant.file_role} {collection} …`.",
            f"{role} has {quoted(collection)} from {grant.file_role} ({grant.place}); it is approved there: "
            f"`twin policy approve {grant.file_role} {collection} …`.",
        ))  # fmt: skip
    return grant


def _check_asked(grant: Grant, department: str) -> None:
    release, where = grant.release, f"{quoted(grant.collection)} ({grant.place})"
    if release is None:
        raise ConsentRefused(Text(f"{where} hat keine Freigabe, der jemand zustimmen müsste.", f"{where} has no release to approve."))
    if department not in release.approve:
        asked, heard = listed(release.approve), department in release.heard
        raise ConsentRefused(Text(
            f"{quoted(department)} wird {'nur gehört und ' if heard else ''}für {where} nicht um Zustimmung gefragt, sondern {asked}.",
            f"{quoted(department)} is {'heard but ' if heard else ''}not asked to approve {where}; asked is {asked}.",
        ))  # fmt: skip
    if department not in grant.missing:
        raise ConsentRefused(Text(f"{quoted(department)} hat {where} in diesem Wortlaut schon zugestimmt.",
                                  f"{quoted(department)} has approved {where} in this wording already."))  # fmt: skip


def _refuse_unknown(kind: Text, word: str, known: Iterable[str]) -> NoReturn:
    meant = suggestion(word, known)
    raise ConsentRefused(Text(f"{kind.de} {quoted(word)} gibt es nicht; {meant.de}.", f"There is no {kind.en} {quoted(word)}; {meant.en}"))
