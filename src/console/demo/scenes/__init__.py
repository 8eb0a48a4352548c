"""The scenes of the demonstration, in the order they are told; time never goes back."""

from __future__ import annotations

from console.demo.scene import Scene
from console.demo.scenes.instances import (
    BILLED_BY_USE,
    PROMOTION_ORDER,
    RETURNED_AND_DESTROYED,
    RETURNED_AND_RESTORED,
)

SCENES: tuple[Scene, ...] = (
    RETURNED_AND_RESTORED,
    RETURNED_AND_DESTROYED,
    PROMOTION_ORDER,
    BILLED_BY_USE,
)
