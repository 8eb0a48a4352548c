"""The scenes of the demonstration, in their order; time never goes back."""

from __future__ import annotations

from console.demo.scene import Scene
from console.demo.scenes.instances import (
    BILLED_BY_USE,
    LEFT_TO_THE_VISITOR,
    PROMOTION_ORDER,
    RETURNED_AND_DESTROYED,
    RETURNED_AND_RESTORED,
)
from console.demo.scenes.marketplace import ASKED_AND_APPROVED, LEFT_TO_THE_TIMER
from console.demo.scenes.reservations import REFUNDED_WITHIN_THE_CAP, REFUSED_THEN_EXCHANGED

SCENES: tuple[Scene, ...] = (
    RETURNED_AND_RESTORED,
    RETURNED_AND_DESTROYED,
    PROMOTION_ORDER,
    BILLED_BY_USE,
    ASKED_AND_APPROVED,
    LEFT_TO_THE_TIMER,
    REFUNDED_WITHIN_THE_CAP,
    REFUSED_THEN_EXCHANGED,
)
OF_A_KEPT_STACK: tuple[Scene, ...] = (*SCENES, LEFT_TO_THE_VISITOR)
"""One more: somebody stays, and should find something to do."""
