"""What only looks unused, with the reason. `tools.unused` shows it to vulture beside the source."""

from __future__ import annotations

from typing import Any

_: Any = object()

# Typer calls these: a decorator registers them, or an option names them.
_.set_to
_.list_letters
_.decider
_.reactions
_.projector
_.webhooks
_.instance_return
_.instance_downgrade
_.reservation_exchange
_.show_version
_.users

# Libraries call or read these by name: Typer, pydantic, the Kafka client, psycopg, a protocol.
_.local_address
_.socket_options
_.connect_unix_socket
_.format_commands
_.model_config
_.on_partitions_assigned
_.on_partitions_revoked
_.isolation_level
_.read_only
_.itersize
_.__call__
_.token
_.auth
_.collect
_.log_message
_.daemon_threads
_.timeout
_.configs
_.unraisablehook
_._unpack_records
_.next_fetch_offset
_.records_read

# Readers of the log rely on these fields; the ledger itself writes them and reads them no more.
_.charges_stopped_at
_.data_purged
_.ip_released
_.confirmed_at
_.task_id
_.instance_ids
_.origin_key

# Members of closed sets that come in from outside, or stand in old records.
_.RETURN
_.STANDARD
_.CANNOT_DELIVER
_.NOT_AS_DESCRIBED
_.BOUGHT_BY_MISTAKE
_.NO_LONGER_NEEDED
_.OTHER
_.NOT_BUILT
_.SCRAM_SHA_256
_.SCRAM_SHA_512
_.WARN
_.ED25519

# What tests do to the log in memory, and ask of a state in memory.
_.only_writer
_.abort
_.lose_next_reply
_.entities
