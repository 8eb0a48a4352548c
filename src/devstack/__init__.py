"""The embedded stack: a real Kafka broker, a real PostgreSQL server and the app processes."""

from __future__ import annotations

from devstack.errors import DevstackError
from devstack.services import Services, services, start_services
from devstack.stack import destroy, down, follow_plan, home_folder, status, up
from devstack.status import Plan, ProcessSpec, ProcessState, ProcessStatus, State, Status
from devstack.supervising.logs import follow, log_paths, tail

__all__ = [
    "DevstackError",
    "Plan",
    "ProcessSpec",
    "ProcessState",
    "ProcessStatus",
    "Services",
    "State",
    "Status",
    "destroy",
    "down",
    "follow",
    "follow_plan",
    "home_folder",
    "log_paths",
    "services",
    "start_services",
    "status",
    "tail",
    "up",
]
