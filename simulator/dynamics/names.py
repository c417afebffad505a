"""Names for the people and queues of the simulated company, the same for the same seed."""

from __future__ import annotations

import random
import unicodedata
import uuid
from dataclasses import dataclass

FIRST_NAMES = (
    "Amelie Anton Aylin Benno Carla Clara Daniel Dilara Elena Emil Emre Esther Fabian Farida Felix"
    " Frieda Greta Hanna Henrik Ibrahim Ines Ivan Jana Janek Jasmin Johan Julia Kai Karim Katrin"
    " Klara Lars Leonie Linus Luca Magda Malte Marek Maria Mehmet Milan Nadia Nele Nina Noah Olga"
    " Oskar Paula Pavel Petra Philipp Rafael Rasmus Renate Rosa Samir Sara Selma Simon Sofia Stefan"
    " Svenja Theo Thea Tobias Ulrike Valentin Vera Viktor Wanda Yusuf Zoe Zuzana Ömer Jürgen Ágnes"
)
LAST_NAMES = (
    "Adler Albrecht Arslan Bauer Becker Berger Böhm Brandt Busch Celik Dietrich Dvorak Ebert Engel"
    " Fiedler Franke Friedrich Fuchs Garcia Graf Groß Haas Hahn Hartmann Heinrich Hoffmann Horvat"
    " Huber Ivanov Jäger Jansen Jung Kaiser Keller Klein Koch König Kovacs Kraus Krüger Lang Lehmann"
    " Lindner Lorenz Ludwig Maier Marin Martin Mayer Meier Möller Nagy Neumann Novak Öztürk Otto"
    " Peters Pohl Popescu Richter Roth Sauer Schäfer Schmitt Schreiber Seidel Simon Sommer Stein"
    " Thomas Ulrich Vogel Voigt Wagner Walter Weiß Winter Wolff Yilmaz Ziegler Zimmermann O'Brien"
)
FIRST, LAST = FIRST_NAMES.split(), LAST_NAMES.split()
QUEUES = (
    "Service Desk",
    "Orders",
    "Complaints",
    "Invoices",
    "Spare Parts",
    "Training",
    "Field Service",
    "Partner Support",
    "Contracts",
    "Returns",
)


@dataclass(frozen=True)
class Holder:
    """Whose mailbox it is; ``id`` is the user's or queue's."""

    id: str
    name: str
    address: str
    is_queue: bool = False


def holders(seed: int, count: int, domain: str, prefix: str = "") -> list[Holder]:
    """``count`` mailbox holders: queues first (one in twenty-five), then people.

    :param prefix: set before the address of queues, so that two organizations differ.
    """
    source = random.Random(f"holders {seed}")  # noqa: S311 - names, no secrets
    found: list[Holder] = []
    taken: set[str] = set()
    for name in QUEUES[: -(-count // 25)]:
        address = f"{prefix}{name.lower().replace(' ', '.')}@{domain}"
        found.append(Holder(new_id(source), name, address, is_queue=True))
    while len(found) < count:
        first, last = source.choice(FIRST), source.choice(LAST)
        local = f"{_plain(first)}.{_plain(last)}"
        number = sum(known.startswith(local) for known in taken) if local in taken else 0
        taken.add(local if not number else f"{local}{number + 1}")
        address = f"{local}{number + 1 if number else ''}@{domain}"
        found.append(Holder(new_id(source), f"{first} {last}", address))
    return found


def new_id(source: random.Random) -> str:
    """A GUID from a seeded source."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def _plain(name: str) -> str:
    """A name as it stands in an address: ASCII letters only."""
    text = name.lower()
    for letter, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("'", "")):
        text = text.replace(letter, written)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())
