"""A plan over a file: the smallest outside world in which every rule of the engine can be seen.

``world.json`` is the world, ``effects.log`` its ledger (one line an effect), ``dials.json`` its faults.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from portal.errors import Refused, Unreachable
from portal.jobs.checks import Check, Found
from portal.jobs.models import Job
from portal.jobs.plans import PlanKind
from portal.jobs.states import Verdict
from portal.jobs.step import (
    Done,
    Failed,
    Gap,
    KnownAfter,
    Look,
    NeedsPerson,
    NotYet,
    Order,
    Planned,
    Step,
    Value,
)


@dataclass(frozen=True)
class World:
    folder: Path
    made: dict[str, dict[str, str]]

    def read(self) -> dict[str, Any]:
        self.strike("look")
        self.finish_what_is_late()
        return dict(json.loads((self.folder / "world.json").read_text()))

    def write(self, name: str, value: object, order: Order) -> None:
        self.strike(f"before {order.step}")
        self.strike(f"before {name}", late=[order.step, name, value, order.fence])
        self.take_effect(order.step, name, value, order.fence)
        self.strike(f"after {order.step}")

    def take_effect(self, step: str, name: str, value: object, fence: int) -> None:
        world = json.loads((self.folder / "world.json").read_text())
        world[name] = value
        (self.folder / "world.json").write_text(json.dumps(world))
        with (self.folder / "effects.log").open("a") as ledger:
            ledger.write(f"{step} {name} {fence}\n")

    @property
    def late(self) -> Path:
        return self.folder / "late.json"

    def finish_what_is_late(self) -> None:
        """Let an effect take place whose caller has lost the answer, once its time has come."""
        if self.late.exists() and (late := json.loads(self.late.read_text()))["at"] <= time.time():
            self.late.unlink()
            self.take_effect(*late["effect"])

    def strike(self, point: str, late: list[Any] | None = None) -> None:
        """Do what the dial says at this point: {"point": {"fault": …, "times": n, "then": more dials, "world": …}}."""
        path = self.folder / "dials.json"
        dials = json.loads(path.read_text()) if path.exists() else {}
        dial = dials.get(point)
        if not dial or dial["times"] == 0:
            return
        dial["times"] -= 1
        dials |= dial.get("then", {})
        path.write_text(json.dumps(dials))
        world = json.loads((self.folder / "world.json").read_text()) | dial.get("world", {})
        (self.folder / "world.json").write_text(json.dumps(world))
        match dial["fault"]:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "sleep":
                time.sleep(dial["seconds"])
            case "lost answer":
                raise Unreachable("The toy did not answer.", system="Toy")
            case "refused":
                raise Refused("The toy said no.", remedy="Ask the toy's owner.", system="Toy")
            case "not yet":
                raise NotYet(0.1, "The toy is at work.")
            case "late":
                at = time.time() + dial["seconds"]
                self.late.write_text(json.dumps({"at": at, "effect": late}))
                raise Unreachable("The toy did not answer.", system="Toy")
            case "person":
                raise NeedsPerson("Turn the toy's key.", look_again_s=0.2)
            case "bug":
                raise ValueError("a defect")


class Set(Step[World]):
    """Set one value."""

    group = "Toy"
    system = "Toy"
    settle_s = 3.0
    takes_back = True
    name: str
    value: Value

    def resources(self, context: World) -> Sequence[str]:
        return [f"toy:{self.name}"]

    def look(self, context: World, mark: Any) -> Look:
        return Look({self.name: context.read().get(self.name)})

    def wanted(self, context: World, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {self.name: self.value}

    def change(self, context: World, look: Look, gaps: Mapping[str, Gap], order: Order) -> None:
        for name, gap in gaps.items():
            context.write(name, gap.wanted, order)

    def at_work(self, context: World, order: Order) -> NotYet | None:
        return NotYet(0.2, "The toy is at it.") if context.late.exists() else None

    def take_back(
        self, context: World, look: Look, gaps: Mapping[str, Gap], order: Order, done: Done
    ) -> None:
        self.change(context, look, gaps, order)


class SetColour(Set):
    key = "set-colour"
    title = "Set the colour"
    name = "colour"
    value = "green"


class MakeThing(Set):
    """Make a thing whose id only the toy knows."""

    key = "make-thing"
    title = "Make the thing"
    name = "thing"
    value = "there"

    def look(self, context: World, mark: Any) -> Look:
        found = context.read().get("thing")
        return Look({"thing": found}, made={"id": "thing-7"} if found else {})


class UseThing(Set):
    key = "use-thing"
    title = "Use the thing"
    name = "used"

    def wanted(self, context: World, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"used": KnownAfter("make-thing", "id")}


class PaintBoth(Set):
    """Paint both sides, one after the other: a step of several effects."""

    key = "paint-both"
    title = "Paint both sides"

    def resources(self, context: World) -> Sequence[str]:
        return ["toy:sides"]

    def look(self, context: World, mark: Any) -> Look:
        world = context.read()
        return Look({side: world.get(side) for side in ("left", "right")})

    def wanted(self, context: World, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"left": "blue", "right": "blue"}


class PaintBlindly(PaintBoth):
    """The same of a system that cannot say what is still under way."""

    key = "paint-blindly"

    def at_work(self, context: World, order: Order) -> NotYet | None:
        return None


class Try(PaintBoth):
    """Paint both sides, then have the toy tried: it says itself whether it works."""

    key = "try"
    renews_mark = True

    def look(self, context: World, mark: Any) -> Look:
        world = context.read()
        sides = {side: world.get(side) for side in ("left", "right")}
        tried = world.get("tried") if mark is not None else None
        if tried == "fails":
            raise Failed("The toy does not work.", look=Look(sides | {"tried": None}))
        return Look(sides | {"tried": tried})

    def wanted(self, context: World, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"left": "blue", "right": "blue", "tried": "works"}

    def mark(self, context: World, look: Look) -> Any:
        return "tried from now on"

    def change(self, context: World, look: Look, gaps: Mapping[str, Gap], order: Order) -> None:
        sides = {name: gap for name, gap in gaps.items() if name != "tried"}
        super().change(context, look, sides, order)
        if "tried" in gaps:
            context.write("tried", context.read().get("outcome", "works"), order)


class AddName(Set):
    key = "add-name"
    title = "Add a name"
    name = "names"

    def look(self, context: World, mark: Any) -> Look:
        return Look({"names": sorted(context.read().get("names", []))})

    def wanted(self, context: World, look: Look, earlier: Sequence[Planned]) -> Mapping[str, Value]:
        return {"names": sorted({*look.fields["names"], "ours"})}


class IsThere(Check[World]):
    key = "toy-is-there"
    title = "The toy answers"
    group = "Toy"

    def find(self, context: World) -> Found:
        if context.read().get("locked"):
            return Found(Verdict.BLOCK, "The toy is locked.", fix="Unlock the toy.")
        return Found(Verdict.PASS, "The toy answers.")


class Toy(PlanKind):
    slug = "toy"
    title = "Toy"
    version = 1
    steps: ClassVar[tuple[Step[Any], ...]] = (SetColour(), MakeThing(), UseThing())
    checks = (IsThere(),)

    @contextmanager
    def open(self, job: Job, made: dict[str, dict[str, str]]) -> Iterator[World]:
        world = World(Path(job.inputs["folder"]), made)
        yield world
        world.strike("close")

    def target(self, job: Job) -> dict[str, Any]:
        return {"toy": job.inputs["folder"]}

    def secret_ids(self, job: Job) -> list[str]:
        return list(job.inputs.get("secrets", []))


class Blind(Toy):
    slug = "blind"
    title = "Sides of the toy, blindly"
    steps: ClassVar[tuple[Step[Any], ...]] = (PaintBlindly(),)


class Trial(Toy):
    slug = "trial"
    title = "Trial of the toy"
    steps: ClassVar[tuple[Step[Any], ...]] = (Try(),)


class Names(Toy):
    slug = "names"
    title = "Names of the toy"
    steps: ClassVar[tuple[Step[Any], ...]] = (AddName(),)


class Sides(Toy):
    slug = "sides"
    title = "Sides of the toy"
    steps: ClassVar[tuple[Step[Any], ...]] = (PaintBoth(),)
