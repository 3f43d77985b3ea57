"""Producers of events that know nothing of the engine but its documents: kafka-python, whose partitioner is Java's murmur2, and
confluent-kafka, whose default is CRC32 of the key. Each sends invoices and payments as JSON, keyed tenant/debtor."""

import json
import sys

BOOTSTRAP, PREFIX, LIBRARY, COUNT = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def events():
    for i in range(COUNT):
        debtor = f"{LIBRARY}-{i % 50}"
        yield "invoices", debtor, {
            "debtor": debtor, "id": f"i{i}", "effectiveDate": "2026-01-05",
            "itemIssued": {"item": f"i{i}", "amount": {"minorUnits": str(1000 + i), "currency": "EUR"}, "dueDate": "2026-02-01"},
        }
        if i % 3 == 0:
            yield "payments", debtor, {
                "debtor": debtor, "id": f"p{i}", "effectiveDate": "2026-02-10",
                "paymentReceived": {"amount": {"minorUnits": "400", "currency": "EUR"}},
            }


def with_kafka_python():
    from kafka import KafkaProducer
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, acks="all", api_version=(2, 0, 0))
    sent = [producer.send(f"{PREFIX}.{stream}", key=f"default/{debtor}".encode(), value=json.dumps(event).encode())
            for stream, debtor, event in events()]
    producer.flush(60)
    return [done.get(60).partition for done in sent]


def with_confluent_kafka():
    from confluent_kafka import Producer
    partitions = []

    def told(error, message):
        if error is not None:
            raise RuntimeError(error)
        partitions.append(message.partition())

    producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all"})
    for stream, debtor, event in events():
        producer.produce(f"{PREFIX}.{stream}", key=f"default/{debtor}", value=json.dumps(event), callback=told)
    if producer.flush(60) > 0:
        raise RuntimeError("not everything was acknowledged")
    return partitions


print(len({"kafka-python": with_kafka_python, "confluent-kafka": with_confluent_kafka}[LIBRARY]()))
