"""One attempt for each operation on each kind of thing: whether the broker allows it.

Each attempt is a request that a broker checks for the right first, and that then comes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kafka import errors
from kafka.admin import ConfigResourceType
from kafka.protocol.admin import (
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteRecordsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
    DescribeTransactionsRequest,
    IncrementalAlterConfigsRequest,
)
from kafka.protocol.consumer import FetchRequest, HeartbeatRequest
from kafka.protocol.metadata import MetadataRequest
from kafka.protocol.producer import (
    InitProducerIdRequest,
    ProduceRequest,
    WriteTxnMarkersRequest,
)
from kafka.record.memory_records import MemoryRecordsBuilder


def _corrupt_batch() -> bytes:
    """A batch whose checksum is wrong: checked after the right to write, and never written."""
    builder = MemoryRecordsBuilder(2, 0, 1_000)
    builder.append(timestamp=0, key=b"nobody", value=b"nothing")
    builder.close()
    made = bytearray(builder.buffer())
    made[-2] ^= 0xFF
    return bytes(made)


_CORRUPT = _corrupt_batch()

ATTEMPTS: Mapping[tuple[str, str], Callable[[str], Any]] = {
    ("topic", "READ"): lambda name: FetchRequest(
        max_version=12,
        max_wait_ms=0,
        min_bytes=0,
        topics=[
            FetchRequest.FetchTopic(
                topic=name,
                partitions=[
                    FetchRequest.FetchTopic.FetchPartition(
                        partition=0, fetch_offset=0, partition_max_bytes=1
                    )
                ],
            )
        ],
    ),
    ("topic", "WRITE"): lambda name: ProduceRequest(
        max_version=12,
        acks=1,
        timeout_ms=1_000,
        topic_data=[
            ProduceRequest.TopicProduceData(
                name=name,
                partition_data=[
                    ProduceRequest.TopicProduceData.PartitionProduceData(index=0, records=_CORRUPT)
                ],
            )
        ],
    ),
    ("topic", "DESCRIBE"): lambda name: MetadataRequest(
        max_version=9, topics=[MetadataRequest.MetadataRequestTopic(name=name)]
    ),
    ("topic", "DESCRIBE_CONFIGS"): lambda name: DescribeConfigsRequest(
        resources=[
            DescribeConfigsRequest.DescribeConfigsResource(
                resource_type=ConfigResourceType.TOPIC, resource_name=name, configuration_keys=None
            )
        ]
    ),
    ("topic", "ALTER_CONFIGS"): lambda name: IncrementalAlterConfigsRequest(
        validate_only=True,
        resources=[
            IncrementalAlterConfigsRequest.AlterConfigsResource(
                resource_type=ConfigResourceType.TOPIC,
                resource_name=name,
                configs=[
                    IncrementalAlterConfigsRequest.AlterConfigsResource.AlterableConfig(
                        name="retention.ms", config_operation=0, value="-1"
                    )
                ],
            )
        ],
    ),
    ("topic", "ALTER"): lambda name: CreatePartitionsRequest(
        validate_only=True,
        timeout_ms=1_000,
        topics=[CreatePartitionsRequest.CreatePartitionsTopic(name=name, count=99)],
    ),
    ("topic", "DELETE"): lambda name: DeleteRecordsRequest(
        timeout_ms=1_000,
        topics=[
            DeleteRecordsRequest.DeleteRecordsTopic(
                name=name,
                partitions=[
                    DeleteRecordsRequest.DeleteRecordsTopic.DeleteRecordsPartition(
                        partition_index=0, offset=1 << 40
                    )
                ],
            )
        ],
    ),
    ("group", "READ"): lambda name: HeartbeatRequest(
        group_id=name, generation_id=1, member_id="nobody", max_version=3
    ),
    ("group", "DESCRIBE"): lambda name: DescribeGroupsRequest(groups=[name]),
    ("group", "DELETE"): lambda name: DeleteGroupsRequest(groups_names=[name]),
    ("transactional_id", "WRITE"): lambda name: InitProducerIdRequest(
        transactional_id=name, transaction_timeout_ms=10_000
    ),
    ("transactional_id", "DESCRIBE"): lambda name: DescribeTransactionsRequest(
        transactional_ids=[name]
    ),
    ("cluster", "CREATE"): lambda _: CreateTopicsRequest(
        validate_only=True,
        timeout_ms=1_000,
        topics=[
            CreateTopicsRequest.CreatableTopic(
                name="never-made", num_partitions=1, replication_factor=1
            )
        ],
    ),
    ("cluster", "DESCRIBE"): lambda _: DescribeAclsRequest(
        resource_type_filter=2,
        resource_name_filter="nothing",
        pattern_type_filter=3,
        principal_filter="User:nobody",
        host_filter=None,
        operation=3,
        permission_type=3,
    ),
    ("cluster", "ALTER"): lambda _: CreateAclsRequest(
        creations=[
            CreateAclsRequest.AclCreation(
                resource_type=2,
                resource_name="no-topic-of-ours",
                resource_pattern_type=3,
                principal="User:nobody",
                host="*",
                operation=3,
                permission_type=3,
            )
        ]
    ),
    ("cluster", "CLUSTER_ACTION"): lambda _: WriteTxnMarkersRequest(
        markers=[
            WriteTxnMarkersRequest.WritableTxnMarker(
                producer_id=1,
                producer_epoch=0,
                transaction_result=False,
                coordinator_epoch=0,
                topics=[
                    WriteTxnMarkersRequest.WritableTxnMarker.WritableTxnMarkerTopic(
                        name="never-made", partition_indexes=[0]
                    )
                ],
            )
        ]
    ),
}
"""By kind and operation, what is asked of the broker about a name."""

_REFUSALS = {
    "topic": errors.TopicAuthorizationFailedError,
    "group": errors.GroupAuthorizationFailedError,
    "transactional_id": errors.TransactionalIdAuthorizationFailedError,
    "cluster": errors.ClusterAuthorizationFailedError,
}


def allowed(admin: Any, kind: str, operation: str, name: str) -> bool:
    """Whether the broker lets that connection try it."""
    request = ATTEMPTS[kind, operation](name)
    # The one broker of the tests is the coordinator of everything.
    response = admin._manager.run(admin._manager.send, request, 1)
    codes = set(_error_codes(response.to_dict()))
    assert codes, f"no error code in {response}"
    refusals = {_REFUSALS[kind].errno, _REFUSALS["topic"].errno}
    return codes.isdisjoint(refusals if operation == "CREATE" else {_REFUSALS[kind].errno})


def _error_codes(found: Any) -> list[int]:
    """Every error code in an answer, at any depth."""
    if isinstance(found, dict):
        own = [value for name, value in found.items() if name == "error_code"]
        return own + [code for value in found.values() for code in _error_codes(value)]
    if isinstance(found, (list, tuple)):
        return [code for value in found for code in _error_codes(value)]
    return []
