#!/usr/bin/env python3
"""Follows a topic of decisions (or dead letters) and keeps each message once, in a table of SQLite.

    follow.py BOOTSTRAP TOPIC DATABASE [--until-end]

Messages come at least once. Each has an id "partition-sequence" in its header; of one partition of the engine the sequences rise by one in the order of
first arrival, and a message that comes again has the id and the bytes that it had. So the highest sequence that was seen of each partition is all that has to
be remembered, and it is remembered in the transaction that keeps the message: whenever this program dies, it keeps none twice and loses none.

Needs confluent_kafka (Debian: python3-confluent-kafka).
"""

import sqlite3
import sys

from confluent_kafka import Consumer, KafkaError

SCHEMA = """
CREATE TABLE IF NOT EXISTS message(partition INTEGER, sequence INTEGER, key BLOB, value BLOB, PRIMARY KEY(partition, sequence));
CREATE TABLE IF NOT EXISTS seen(topic_partition INTEGER, partition INTEGER, sequence INTEGER, PRIMARY KEY(topic_partition, partition));
"""


def keep(database, message):
    """Keeps a message unless it is a repeat; true if it was new."""
    headers = {name: value for name, value in message.headers() or []}
    partition, sequence = (int(part) for part in headers["id"].decode().split("-"))
    # One partition of the engine is one of the topic, where both have as many; where not, its messages are spread, in order within each.
    place = (message.partition(), partition)
    row = database.execute("SELECT sequence FROM seen WHERE topic_partition = ? AND partition = ?", place).fetchone()
    if row and sequence <= row[0]:
        return False
    if row and sequence != row[0] + 1 and message.partition() == partition:
        print(f"{partition}-{row[0] + 1} to {partition}-{sequence - 1} are missing: the topic's retention has passed them", file=sys.stderr)
    with database:
        database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (partition, sequence, message.key(), message.value()))
        database.execute("REPLACE INTO seen VALUES (?, ?, ?)", (*place, sequence))
    return True


def main(bootstrap, topic, path, until_end):
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": f"follow {path}",
        # How long a program that died keeps its successor waiting.
        "session.timeout.ms": 6000,
        "enable.auto.commit": False,
        "enable.partition.eof": until_end,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
    })
    consumer.subscribe([topic])
    new = repeats = 0
    at_end = set()
    while not (at_end and at_end >= {p.partition for p in consumer.assignment()}):
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                at_end.add(message.partition())
            else:
                print(f"tried again: {message.error()}", file=sys.stderr)
            continue
        at_end.discard(message.partition())
        if keep(database, message):
            new += 1
        else:
            repeats += 1
        # Where to go on after a restart; it may be behind what was kept, and what comes again then is a repeat.
        consumer.commit(message, asynchronous=True)
    consumer.close()
    print(f"{new} new, {repeats} repeats")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--until-end"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    main(*arguments, until_end="--until-end" in sys.argv)
