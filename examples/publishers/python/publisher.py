"""Opens an account, records an order, returns it, and prints what the ledger answered to each.

    python publisher.py ACCOUNT

Where things are comes from the environment: KAFKA_BOOTSTRAP; REFUNDS_PREFIX, if the topics have
one; SCHEMAS, the folder of the ledger's schemas; SCHEMA_REGISTRY_URL, if records carry its ids;
REFUNDS_ORIGIN, REFUNDS_ORIGIN_KEY_FILE and REFUNDS_LEDGER, the ledger's id, if commands are signed.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

BOOTSTRAP = os.environ["KAFKA_BOOTSTRAP"]
PREFIX = os.environ.get("REFUNDS_PREFIX", "")
SCHEMAS = Path(os.environ.get("SCHEMAS", "../../../schemas"))
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "")
ORIGIN = os.environ.get("REFUNDS_ORIGIN", "")  # <origin>/<key id>
KEY_FILE = os.environ.get("REFUNDS_ORIGIN_KEY_FILE", "")
LEDGER = os.environ.get("REFUNDS_LEDGER", "")
COMMANDS, EVENTS = PREFIX + "refunds.commands.v1", PREFIX + "refunds.events.v1"
PATIENCE_SECONDS = 60

BILLING = {"id": "billing", "role": "BILLING"}
OWNER = {"id": "u-1", "role": "OWNER"}

# Money is in minor units (cents, fen), prices are in millionths. The instants are fixed, so that
# every run sends the same bytes: an id with other content is refused.
OPEN = {"account_type": "ONLINE", "us_government": False, "currency": "CNY"}
ORDER = {
    "order_id": "o-1",
    "kind": "NEW",
    "channel": "STANDARD",
    "starts_at": 2051596800000000,  # 2035-01-05T08:00:00Z in microseconds
    "ends_at": 2083132800000000,  # 2036-01-05T08:00:00Z
    "delivered_at": None,
    "lines": [
        {
            "instance_id": "i-1",
            "product": "redis",
            "region": "ap-guangzhou",
            "paid": {"cash": 20000, "gift": 20796, "voucher": 10000},
            "components": [
                {
                    "name": "node",
                    "list_monthly": 51000000,
                    "payg": [{"from_hours": 0, "hourly": 420000}],
                }
            ],
            "duration_discounts": [{"from_months": 12, "factor": "0.83"}],
        }
    ],
    "currency": "CNY",
}
QUOTE = {"instance_id": "i-1"}


def main() -> None:
    """Two rounds: the return needs the quote's id and amount."""
    (account,) = sys.argv[1:]
    answers = ask(
        account,
        ("open", "OpenAccount", BILLING, OPEN),
        ("order-o-1", "RecordInstanceOrder", BILLING, ORDER),
        ("quote-i-1", "QuoteInstanceReturn", OWNER, QUOTE),
    )
    quote = answers["quote-i-1"]
    give_back = {
        "instance_id": "i-1",
        "quote_id": quote["quote_id"],
        "acknowledged": True,
        "confirmed_amount": quote["amount"],
        "currency": quote["currency"],
    }
    ask(
        account,
        ("return-i-1", "ReturnInstance", OWNER, give_back),
        # As after a time-out: the same id and the same content. It is answered once.
        ("return-i-1", "ReturnInstance", OWNER, give_back),
        # Another id is another wish, and there is nothing left to return.
        ("return-i-1-again", "ReturnInstance", OWNER, give_back),
    )


def ask(account: str, *commands: tuple[str, str, dict, dict]) -> dict[str, dict]:
    """Publish commands and print what answers them; the last event of each, by command id."""
    partition = publish(account, commands)
    answers = {}
    for command_id, event, body in outcomes(account, partition, {each[0] for each in commands}):
        print(f"{command_id:<18}{event:<24}{told(event, body)}".rstrip())
        answers[command_id] = body
    return answers


def publish(account: str, commands: tuple[tuple[str, str, dict, dict], ...]) -> int:
    """Send the commands in order; the partition they went to."""
    sent: list[tuple[KafkaError | None, Message]] = []
    producer = Producer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "partitioner": "murmur2_random",  # librdkafka's own default is another hash
            "enable.idempotence": True,
            "delivery.timeout.ms": PATIENCE_SECONDS * 1000,
        }
    )
    for command_id, name, actor, body in commands:
        meta = {"command_id": command_id, "account_id": account, "actor": actor}
        value = encoded(name, {"meta": meta, **body})
        producer.produce(
            COMMANDS,
            key=account.encode(),
            value=value,
            headers={
                "ce_specversion": "1.0",
                "ce_id": command_id,
                "ce_source": f"/refunds/accounts/{account}",
                "ce_type": f"refunds.commands.{name}",
                "content-type": "application/avro",
                **signature(account, command_id, value),
            },
            on_delivery=lambda *each: sent.append(each),
        )
    producer.flush()
    for error, _ in sent:
        if error is not None:
            sys.exit(f"not published: {error}; run this again, the same ids are safe")
    return sent[0][1].partition()


def signature(account: str, command_id: str, value: bytes) -> dict[str, str]:
    """The two headers that prove who gives a command; none where nobody asks."""
    if not ORIGIN:
        return {}
    digest = hashlib.sha256(value).hexdigest()
    lines = (
        "refunds-command-1",
        "refunds.commands.v1",
        LEDGER,
        ORIGIN,
        account,
        command_id,
        digest,
    )
    text = "".join(f"{line}\n" for line in lines).encode()
    secret = Path(KEY_FILE).read_text().strip().encode()
    signed = hmac.new(secret, text, "sha256").hexdigest()
    return {"refunds-origin": ORIGIN, "refunds-signature": signed}


def outcomes(account: str, partition: int, waited_for: set[str]) -> Iterator[tuple[str, str, dict]]:
    """Each event that answers one of those commands, in order, until all are answered.

    Reads the account's partition from its beginning, where a second run finds the first's answers.
    A service reads on from where it had come to instead.
    """
    schemas = dict(map(fingerprinted, SCHEMAS.glob("events/*/*.avsc")))
    consumer = Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": "publisher-example",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(EVENTS, partition, 0)])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waited_for:
        if time.monotonic() > deadline:
            sys.exit(f"no answer to {sorted(waited_for)}; ask 'refundctl check-publisher'")
        record = consumer.poll(1.0)
        if record is None or record.error() or record.key() != account.encode():
            continue
        event, body = decoded(record.value(), schemas)
        meta = body["meta"]
        if meta["causation_id"] not in waited_for:
            continue
        yield meta["causation_id"], event, body
        if meta["index"] == meta["count"] - 1:  # the last event of this command
            waited_for.discard(meta["causation_id"])
    consumer.close()


def told(event: str, body: dict) -> str:
    """The detail of an event that a publisher wants to know first."""
    if event == "CommandRefused":
        return "; ".join(f"{each['code']}: {each['message']}" for each in body["violations"])
    if event in ("InstanceReturnQuoted", "RefundIssued"):
        cash, gift = body["parts"]["cash"] or 0, body["parts"]["gift"] or 0
        money = f"{body['amount'] / 100:.2f} {body['currency']}"
        return f"{money} (cash {cash / 100:.2f}, gift {gift / 100:.2f})"
    return ""


def encoded(name: str, record: dict) -> bytes:
    """The value of a command's record: the frame, and the Avro body behind it."""
    text = (SCHEMAS / "commands" / name / "1.avsc").read_text()
    out = BytesIO()
    out.write(frame(name, text))
    schemaless_writer(out, parse_schema(json.loads(text)), record)
    return out.getvalue()


def frame(name: str, text: str) -> bytes:
    """Which schema the body is written with: its fingerprint, or its id in a registry."""
    if not REGISTRY:
        return b"\xc3\x01" + crc64(json.loads(text))
    request = urllib.request.Request(
        f"{REGISTRY}/subjects/{COMMANDS.removeprefix(PREFIX)}-refunds.commands.{name}/versions",
        data=json.dumps({"schema": text}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request) as response:
        return b"\x00" + json.load(response)["id"].to_bytes(4, "big")


def decoded(value: bytes, schemas: dict[bytes, dict]) -> tuple[str, dict]:
    """The name of the event in a record, and what it says."""
    if value[:2] == b"\xc3\x01":
        if value[2:10] not in schemas:
            sys.exit("an event whose schema is not in SCHEMAS: take those of the ledger's release")
        schema, body = schemas[value[2:10]], value[10:]
    else:
        schema, body = of_registry(int.from_bytes(value[1:5], "big")), value[5:]
    return schema["name"].rpartition(".")[2], schemaless_reader(BytesIO(body), schema, None)


def of_registry(schema_id: int) -> dict:
    """The schema that the registry has under an id. A service keeps what it has asked."""
    with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{schema_id}") as response:
        return parse_schema(json.loads(json.load(response)["schema"]))


def fingerprinted(path: Path) -> tuple[bytes, dict]:
    """A schema file by its fingerprint."""
    schema = json.loads(path.read_text())
    return crc64(schema), parse_schema(schema)


def crc64(schema: dict) -> bytes:
    """CRC-64-AVRO of the schema's canonical form; fastavro writes it little endian."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


if __name__ == "__main__":
    main()
