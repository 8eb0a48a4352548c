"""Settings from the environment: addresses, paths, log level."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

METRICS_OFF: Final = "off"


class Settings(BaseSettings):
    """Read only from environment variables; an empty one counts as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    kafka_bootstrap: str | None = Field(default=None, validation_alias="KAFKA_BOOTSTRAP")
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    schema_registry_url: str | None = Field(default=None, validation_alias="SCHEMA_REGISTRY_URL")
    schema_registry_user: str | None = Field(default=None, validation_alias="SCHEMA_REGISTRY_USER")
    schema_registry_password: SecretStr | None = Field(
        default=None, validation_alias="SCHEMA_REGISTRY_PASSWORD"
    )
    schema_registry_password_file: Path | None = Field(
        default=None, validation_alias="SCHEMA_REGISTRY_PASSWORD_FILE"
    )
    schema_registry_ca_file: Path | None = Field(
        default=None, validation_alias="SCHEMA_REGISTRY_CA_FILE"
    )
    home: Path = Field(default=Path(".refunds"), validation_alias="REFUNDS_HOME")
    partitions: int | None = Field(
        default=None, ge=1, le=1_000, validation_alias="REFUNDS_PARTITIONS"
    )
    prefix: str = Field(default="", validation_alias="REFUNDS_PREFIX")
    replication: int = Field(default=1, ge=1, le=10, validation_alias="REFUNDS_REPLICATION")
    sandbox: bool = Field(default=False, validation_alias="REFUNDS_SANDBOX")
    ready_file: Path | None = Field(default=None, validation_alias="REFUNDS_READY_FILE")
    member: str | None = Field(default=None, validation_alias="REFUNDS_MEMBER")
    terms: Path | None = Field(default=None, validation_alias="REFUNDS_TERMS")
    origins: Path | None = Field(default=None, validation_alias="REFUNDS_ORIGINS")
    origin: str | None = Field(default=None, validation_alias="REFUNDS_ORIGIN")
    origin_key_file: Path | None = Field(default=None, validation_alias="REFUNDS_ORIGIN_KEY_FILE")
    master_key_file: Path | None = Field(default=None, validation_alias="REFUNDS_MASTER_KEY_FILE")
    """Under it the keys of accounts are encrypted, with which free texts are sealed."""
    other_master_key_file: Path | None = Field(
        default=None, validation_alias="REFUNDS_OTHER_MASTER_KEY_FILE"
    )
    """Opens keys as well, while the master key is replaced; nothing is encrypted under it."""
    sealing: Literal["open", "required"] = Field(default="open", validation_alias="REFUNDS_SEALING")
    """Whether clear texts that arrive are counted, and told to publishers; none is refused."""
    webhook_networks: str = Field(default="", validation_alias="REFUNDS_WEBHOOK_NETWORKS")
    """Networks with private addresses that webhooks may have all the same, separated by commas."""
    kafka_times: dict[str, float] = Field(
        default_factory=dict, validation_alias="REFUNDS_KAFKA_TIMES"
    )
    """JSON with times of `ledger.log.kafka.KafkaSettings` by name, for slow networks."""
    reconcile_seconds: float = Field(
        default=3_600.0, ge=0, validation_alias="REFUNDS_RECONCILE_SECONDS"
    )
    snapshot_seconds: float = Field(default=2.0, ge=0, validation_alias="REFUNDS_SNAPSHOT_SECONDS")
    metrics_host: str = Field(default="127.0.0.1", validation_alias="REFUNDS_METRICS_HOST")
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] | Literal["off"] = Field(
        default=0, validation_alias="REFUNDS_METRICS_PORT"
    )
    """Of /metrics, /livez and /readyz; 0 chooses a free one."""
    approval_above: dict[str, str] | None = Field(
        default=None, validation_alias="REFUNDS_APPROVAL_ABOVE"
    )
    """JSON, currency → amount: an act at the console above it waits for a second person."""
    approval_hours: int = Field(
        default=72, ge=1, le=8_760, validation_alias="REFUNDS_APPROVAL_HOURS"
    )
    """So long it waits."""
    oidc_issuer: str | None = Field(default=None, validation_alias="REFUNDS_OIDC_ISSUER")
    oidc_client_id: str | None = Field(default=None, validation_alias="REFUNDS_OIDC_CLIENT_ID")
    oidc_client_secret_file: Path | None = Field(
        default=None, validation_alias="REFUNDS_OIDC_CLIENT_SECRET_FILE"
    )
    oidc_name_claim: str = Field(default="sub", validation_alias="REFUNDS_OIDC_NAME_CLAIM")
    oidc_roles_claim: str = Field(default="groups", validation_alias="REFUNDS_OIDC_ROLES_CLAIM")
    oidc_roles: dict[str, list[str]] = Field(
        default_factory=dict, validation_alias="REFUNDS_OIDC_ROLES"
    )
    """JSON, value of the claim → roles of the console."""
    proxy_addresses: str | None = Field(default=None, validation_alias="REFUNDS_PROXY_ADDRESSES")
    proxy_secret_file: Path | None = Field(
        default=None, validation_alias="REFUNDS_PROXY_SECRET_FILE"
    )
    proxy_secret_header: str = Field(
        default="X-Refunds-Proxy", validation_alias="REFUNDS_PROXY_SECRET_HEADER"
    )
    proxy_name_header: str | None = Field(
        default=None, validation_alias="REFUNDS_PROXY_NAME_HEADER"
    )
    """Without it the proxy names nobody, only the scheme."""
    proxy_roles_header: str = Field(
        default="X-Forwarded-Groups", validation_alias="REFUNDS_PROXY_ROLES_HEADER"
    )
    proxy_roles: dict[str, list[str]] = Field(
        default_factory=dict, validation_alias="REFUNDS_PROXY_ROLES"
    )
    """JSON, what the header says → roles of the console."""
    console_port: int = Field(
        default=8080, ge=0, le=65_535, validation_alias="REFUNDS_CONSOLE_PORT"
    )
    """Of the HTTP API and the pages; 0 chooses a free one."""
    console_read_only: bool = Field(default=False, validation_alias="REFUNDS_CONSOLE_READ_ONLY")
    """The console answers no request that writes."""
    console_incognito: bool = Field(default=False, validation_alias="REFUNDS_CONSOLE_INCOGNITO")
    """The pages hide amounts; the HTTP API does not."""
    live_seconds: float = Field(default=120.0, gt=0, validation_alias="REFUNDS_LIVE_SECONDS")
    """A process whose main loop has not moved for so long is not alive."""
    tracing: bool = Field(default=False, validation_alias="REFUNDS_TRACING")
    """Spans, to the collector that OpenTelemetry's variables name; needs the extra `tracing`."""
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="REFUNDS_LOG_LEVEL"
    )
    log_json: bool = Field(default=False, validation_alias="REFUNDS_LOG_JSON")

    def member_of(self, process: str) -> str:
        """The member id in its consumer group: unique, and the same after a restart. Without a
        setting it is the machine's name, so containers of one image need no setting.
        """
        return self.member or f"{process}@{socket.gethostname()}"

    @property
    def terms_path(self) -> Path | None:
        """The operator's terms: a file, or a folder of .toml files."""
        return None if self.terms is None else self.terms.expanduser().resolve()

    @property
    def origins_folder(self) -> Path:
        """The folder of the table of origins, which need not exist."""
        return (self.origins or self.home / "origins").expanduser().resolve()

    @property
    def home_folder(self) -> Path:
        """The folder with all data of the embedded stack."""
        return self.home.expanduser().resolve()


def read_settings() -> Settings:
    """The settings of this process."""
    return Settings()
