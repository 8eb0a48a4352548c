"""Compiles an Avro schema and its classes into two Python functions, for the usual record.

Odd for speed: an order of two lines is read, and proved to be the only encoding, in 13 µs and
written in 5; fastavro with msgspec takes 45 and 28, cavro 1.0 without a conversion and without the
proof 8 and 7 (`python -m benchmarks.codec`). A compiled function raises for whatever is not usual;
then fastavro reads or writes it, and says what is wrong. So it never has the last word on a fault.
"""
