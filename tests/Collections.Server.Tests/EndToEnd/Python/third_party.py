"""Calls a node with grpcio and protobuf, the libraries of Python, as a client that knows nothing of the node's code.

Usage: third_party.py ADDRESS DESCRIPTORS SCENARIO. DESCRIPTORS is a FileDescriptorSet of the contract. Exits with 0 if the node
behaved as the scenario says. Each scenario takes a tenant of its own, so that they don't meet.
"""
import datetime
import math
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PATIENCE = 120
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
POOL = descriptor_pool.DescriptorPool()


def load(path):
    with open(path, "rb") as file:
        for one in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            POOL.Add(one)


def kind(name):
    descriptor = POOL.FindMessageTypeByName("collections.v1." + name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)


def number(enum, name):
    return POOL.FindEnumTypeByName("collections.v1." + enum).values_by_name[name].number


def day(ago):
    return (TODAY - datetime.timedelta(days=ago)).isoformat()


class Node:
    def __init__(self, channel, tenant):
        self.channel, self.tenant = channel, tenant

    def call(self, method, request, reply):
        return self.channel.unary_unary(
            "/collections.v1." + method, request_serializer=lambda m: m.SerializeToString(), response_deserializer=kind(reply).FromString)(request, timeout=PATIENCE)

    def append(self, *events, wait=0):
        return self.call("Ingest/Append", kind("AppendRequest")(events=events, wait=wait), "AppendResponse").results

    def require_applied(self, *events):
        for result in self.append(*events):
            expect(result.status, number("AppendStatus", "APPEND_APPLIED"))

    def event(self, debtor, id, ago=0, **body):
        return kind("Event")(tenant=self.tenant, debtor=debtor, id=id, effective_date=day(ago), **body)

    def registered(self, debtor, portfolio="", channel="VOICE"):
        return self.event(debtor, debtor + "-registered", 400, debtor_registered=dict(portfolio=portfolio, preferred_channel=channel))

    def issued(self, debtor, item, minor, ago=40, due_ago=10):
        return self.event(debtor, item + "-issued", ago, item_issued=dict(
            item=item, component="PRINCIPAL", amount=dict(minor_units=minor, currency="EUR"), due_date=day(due_ago)))

    def paid(self, debtor, id, minor, ago=0):
        return self.event(debtor, id, ago, payment_received=dict(amount=dict(minor_units=minor, currency="EUR")))

    def overdue(self, debtor, minor, portfolio=""):
        self.require_applied(self.registered(debtor, portfolio), self.issued(debtor, debtor + "-item", minor))

    def get(self, debtor, last_events=0):
        return self.call("Debtors/Get", kind("GetDebtorRequest")(tenant=self.tenant, debtor=debtor, last_events=last_events), "DebtorView")

    def pull(self, count, queue="default/voice", request_id="", lease_seconds=600):
        return self.call("Queues/Pull", kind("PullRequest")(
            tenant=self.tenant, queue=queue, count=count, caller="grpcio", request_id=request_id, lease_seconds=lease_seconds), "PullResponse")

    def report(self, lease, outcome="NO_ANSWER"):
        return self.call("Queues/Report", kind("ReportRequest")(lease=lease, outcome=outcome), "LeaseAnswer")

    def extend(self, lease, seconds=0):
        return self.call("Queues/Extend", kind("ExtendRequest")(lease=lease, lease_seconds=seconds), "LeaseAnswer")

    def release(self, lease):
        return self.call("Queues/Release", kind("ReleaseRequest")(lease=lease), "LeaseAnswer")

    def status(self):
        return self.call("Debtors/Status", kind("StatusRequest")(), "StatusResponse")


def expect(actual, expected):
    assert actual == expected, f"got {actual!r}, expected {expected!r}"


def expect_in(part, text):
    assert part in text, f"{part!r} is not in {text!r}"


def error_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


def expect_error(call, code, *says):
    error = error_of(call)
    assert error.code() == code, f"got {error.code()} {error.details()!r}, expected {code}"
    for part in says:
        expect_in(part, error.details())


def append(node):
    applied, durable = number("AppendStatus", "APPEND_APPLIED"), number("AppendStatus", "APPEND_DURABLE")
    results = node.append(node.registered("ann", "cards"), node.issued("ann", "i1", 12345), node.paid("ann", "p1", 345))
    expect([r.status for r in results], [applied] * 3)
    expect([r.stream for r in results], ["activity", "invoices", "payments"])
    expect(len({r.partition for r in results}), 1)
    expect(node.get("ann").open_minor, 12000)
    expect(node.get("ann").portfolio, "cards")
    # The same event again changes nothing; the answer is the same but for the place in the log.
    again = node.append(node.paid("ann", "p1", 345))[0]
    expect((again.status, again.offset), (applied, results[2].offset + 1))
    expect(node.get("ann").open_minor, 12000)
    # Another content under the same id changes nothing either, and is counted.
    before = node.status().dead_letters
    node.append(node.paid("ann", "p1", 999))
    expect(node.get("ann").open_minor, 12000)
    expect(node.status().dead_letters, before + 1)
    expect([r.status for r in node.append(node.paid("ann", "p2", 1000), wait=number("Wait", "DURABLE"))], [durable])
    node.require_applied(node.paid("ann", "p3", 1000))
    expect(node.get("ann").open_minor, 10000)
    expect(len(node.append()), 0)
    # An instant, and no time at all: the event is effective when it is known.
    attempt = node.event("ann", "a1")
    attempt.effective_at.FromDatetime(datetime.datetime.utcnow() - datetime.timedelta(hours=30))
    attempt.attempt_reported.channel = number("Channel", "SMS")
    attempt.attempt_reported.outcome = number("AttemptOutcome", "DELIVERED")
    bare = node.event("ann", "c1")
    bare.ClearField("effective_date")
    bare.contact_received.kind = number("ContactKind", "REPLY")
    bare.contact_received.channel = number("Channel", "SMS")
    node.require_applied(attempt, bare)
    shown = {e.event.id: e.event for e in node.get("ann", 20).last_events}
    assert shown["a1"].WhichOneof("effective") == "effective_at" and shown["c1"].known.seconds > 0, shown


def append_refused(node):
    applied, refused = number("AppendStatus", "APPEND_APPLIED"), number("AppendStatus", "APPEND_REFUSED")

    def bad(change, *says):
        event = node.issued("bob", "i9", 100)
        change(event)
        result = node.append(event)[0]
        expect((result.status, result.partition, result.offset), (refused, -1, -1))
        for part in says:
            expect_in(part, result.reason)

    bad(lambda e: setattr(e.item_issued.amount, "minor_units", -5), "amount", "-5")
    bad(lambda e: setattr(e.item_issued.amount, "minor_units", 0), "amount")
    bad(lambda e: setattr(e.item_issued.amount, "currency", "EURO"), "currency", "EURO")
    bad(lambda e: setattr(e.item_issued, "due_date", "2024-02-30"), "due_date", "2024-02-30")
    bad(lambda e: setattr(e, "effective_date", "yesterday"), "effective_date", "yesterday")
    bad(lambda e: setattr(e, "debtor", ""), "debtor")
    bad(lambda e: setattr(e, "debtor", "x" * 129), "debtor")
    bad(lambda e: setattr(e, "debtor", "a\nb"), "debtor")
    bad(lambda e: setattr(e, "id", ""), "id")
    bad(lambda e: setattr(e, "tenant", "a/b"), "tenant", "a/b")
    bad(lambda e: e.ClearField("item_issued"), "body")
    bad(lambda e: e.import_ended.SetInParent(), "ImportEnded")
    bad(lambda e: e.MergeFromString(b"\xfa\x03\x00"), "body", "63")
    # The good ones of a call go in, in their order; the bad one between them does not.
    broken = node.paid("cyd", "p2", 700)
    broken.payment_received.amount.minor_units = 0
    results = node.append(node.issued("cyd", "i1", 1000), broken, node.paid("cyd", "p1", 300))
    expect([r.status for r in results], [applied, refused, applied])
    expect(node.get("cyd").open_minor, 700)
    expect([e.event.id for e in node.get("cyd", 10).last_events if e.event.id.startswith("p")], ["p1"])
    expect_error(lambda: node.get("bob"), grpc.StatusCode.NOT_FOUND, "bob")


def pull(node):
    names = [f"debtor-{i:02}" for i in range(24)]
    for i, name in enumerate(names):
        node.require_applied(
            node.registered(name, "alpha"), node.issued(name, name + "-1", 5000 + (i * 7919) % 20000, 60 + i, 10 + i), node.issued(name, name + "-2", 3000, 20, 1))
    entries = [(name, node.get(name).queue_entry) for name in names]
    for _, entry in entries:
        expect((entry.queue, entry.lease), ("alpha/voice", ""))
    order = [name for name, _ in sorted(entries, key=lambda e: (-e[1].value, e[1].eligible_since.ToMilliseconds(), e[0].encode()))]
    pulled = []
    for count in (1, 5, 9, 100):
        response = node.pull(count, "alpha/voice")
        expect(response.reason, "")
        pulled.extend(response.actions)
    expect([a.debtor for a in pulled], order)
    expect(len({a.lease for a in pulled}), 24)
    assert len({a.partition for a in pulled}) > 1, "one partition has them all"
    for action in pulled:
        i = int(action.debtor[-2:])
        expect((action.tenant, action.queue, action.channel, action.model), (node.tenant, "alpha/voice", number("Channel", "VOICE"), "propensity"))
        expect((action.overdue.minor_units, action.overdue.currency), (8000 + (i * 7919) % 20000, "EUR"))
        expect(action.oldest_days_past_due, 10 + i)
        assert math.isclose(action.value, action.propensity * action.overdue.minor_units / 100, rel_tol=1e-12), action
        assert 0 < action.expires.seconds - action.scored_at.seconds < 600 + PATIENCE, action
        expect(len(action.positions), 3)
        expect(len(action.reasons), 4)
        expect(list(action.reasons), sorted(action.reasons, key=lambda r: (-abs(r.contribution), r.code)))
        assert all(r.id and r.title and r.text.endswith("likely.") and r.contribution for r in action.reasons), action
        entry = node.get(action.debtor).queue_entry
        expect(list(entry.reasons), list(action.reasons))
        expect((entry.lease, entry.lease_expires.ToMilliseconds()), (action.lease, action.expires.ToMilliseconds()))
    expect((len(node.pull(5, "alpha/voice").actions), len(node.pull(5, "alpha/email").actions), len(node.pull(5, "nobody/voice").actions)), (0, 0, 0))
    # A retry gets the same leases.
    node.overdue("late", 100000, "alpha")
    first = node.pull(3, "alpha/voice", request_id="r-1")
    expect([a.debtor for a in first.actions], ["late"])
    again = node.pull(3, "alpha/voice", request_id="r-1").actions
    expect([(a.lease, list(a.reasons)) for a in again], [(first.actions[0].lease, list(first.actions[0].reasons))])
    queues = node.call("Queues/ListQueues", kind("ListQueuesRequest")(tenant=node.tenant), "ListQueuesResponse").queues
    expect([(q.queue, q.waiting, q.leased) for q in queues if q.waiting or q.leased], [("alpha/voice", 0, 25)])


def leases(node):
    opened, closed, voided, unknown = (number("LeaseStatus", "LEASE_" + s) for s in ("OPEN", "CLOSED", "VOIDED", "UNKNOWN"))
    node.overdue("ann", 90000)
    node.overdue("bob", 50000)
    first, second = node.pull(2).actions
    expect((first.debtor, second.debtor), ("ann", "bob"))
    longer = node.extend(first.lease, 5000)
    expect(longer.status, opened)
    assert longer.expires.seconds > first.expires.seconds + 3000, longer
    expect(node.report(first.lease, "RIGHT_PARTY").status, closed)
    expect(node.get("ann").not_queued_because, "contacted within the last 24 hours")
    attempt = node.get("ann", 1).last_events[0].event
    expect((attempt.attempt_reported.lease, attempt.attempt_reported.outcome), (first.lease, number("AttemptOutcome", "RIGHT_PARTY")))
    for again in (node.report(first.lease), node.extend(first.lease), node.release(first.lease)):
        expect(again.status, closed)
    expect(node.release(second.lease).status, closed)
    expect(node.release(second.lease).status, closed)
    expect(node.report(second.lease).status, closed)
    third, = node.pull(5).actions
    expect(third.debtor, "bob")
    assert third.lease != second.lease
    node.require_applied(node.paid("bob", "p1", 50000))
    for void in (node.extend(third.lease), node.release(third.lease), node.report(third.lease, "VOICEMAIL")):
        expect((void.status, void.reason), (voided, "nothing is overdue any more"))
    expect(node.report(third.lease).status, closed)
    for lease in ("4-4000000000", "4000-1", "nonsense", "", "-", "1-", "-1-1", "1-99999999999999999999"):
        expect(node.report(lease).status, unknown)
        expect(node.extend(lease).status, unknown)
        expect(node.release(lease).status, unknown)


def subscribe(node):
    for name, minor in (("ann", 90000), ("bob", 60000), ("cyd", 30000)):
        node.overdue(name, minor)
    stream = node.channel.unary_stream(
        "/collections.v1.Queues/Subscribe", request_serializer=lambda m: m.SerializeToString(), response_deserializer=kind("SubscribeMessage").FromString)(
        kind("SubscribeRequest")(tenant=node.tenant, queue="default/voice", caller="grpcio", max_open=2, lease_seconds=600), timeout=PATIENCE)
    first, second = next(stream).action, next(stream).action
    expect([first.debtor, second.debtor], ["ann", "bob"])
    node.require_applied(node.paid("bob", "p1", 60000))
    notice = next(stream)
    expect((notice.WhichOneof("message"), notice.voided.lease, notice.voided.debtor), ("voided", second.lease, "bob"))
    expect(notice.voided.reason, "nothing is overdue any more")
    expect(next(stream).action.debtor, "cyd")
    node.overdue("dan", 20000)
    expect(node.report(first.lease).status, number("LeaseStatus", "LEASE_CLOSED"))
    expect(next(stream).action.debtor, "dan")
    stream.cancel()
    expect(error_of(lambda: next(stream)).code(), grpc.StatusCode.CANCELLED)


def debtor(node):
    node.require_applied(
        node.registered("ann", "cards", "EMAIL"), node.issued("ann", "i1", 10000, 70, 40), node.issued("ann", "i2", 6000, 30, 5), node.issued("ann", "i3", 4000, 10, -20),
        node.paid("ann", "p1", 6000, 3), node.paid("ann", "p2", 2500, 2),
        node.event("ann", "promise-1", 1, promise_made=dict(amount=dict(minor_units=7500, currency="EUR"), due_date=day(-7))),
        node.event("ann", "dispute-1", 0, dispute_opened=dict(item="i3")), node.event("ann", "dispute-2", 0, dispute_resolved=dict(dispute="dispute-1")))
    view = node.get("ann", 3)
    expect((view.tenant, view.debtor, view.portfolio, view.currency), (node.tenant, "ann", "cards", "EUR"))
    # The first payment equals an item exactly; the second goes to what is due longest.
    expect({i.item: (i.amount.minor_units, i.open_minor, i.due_date, i.days_past_due) for i in view.items if i.open_minor},
           {"i1": (10000, 7500, day(40), 40), "i3": (4000, 4000, day(-20), -20)})
    expect((view.open_minor, view.overdue_minor, view.unapplied_credit_minor), (11500, 7500, 0))
    expect([(p.promise, p.amount_minor, p.paid_minor, p.made, p.due_date, p.state) for p in view.promises], [("promise-1", 7500, 0, day(1), day(-7), "open")])
    expect((view.not_queued_because, view.HasField("queue_entry"), view.parked), ("a promise is open", False, False))
    features = {f.name: f.value for f in view.features}
    expect((features["open_balance"], features["overdue_balance"], features["oldest_dpd"], features["disputes_total"], features["promises_made"]), (115.0, 75.0, 40.0, 1.0, 1.0))
    assert math.isnan(features["promise_kept_ratio"]) and 0 < view.propensity < 1 and view.model == "propensity", view
    expect((len(view.reasons), view.no_reasons_because, view.HasField("explanation")), (4, "", False))
    explained = node.call("Debtors/Get", kind("GetDebtorRequest")(tenant=node.tenant, debtor="ann", language="fr", contributions=True), "DebtorView")
    assert all("un paiement prochain" in r.text for r in explained.reasons), explained.reasons
    raw, parts = explained.explanation.raw_score, explained.explanation.contributions
    assert math.isclose(explained.explanation.expected_score + sum(p.contribution for p in parts), raw, abs_tol=1e-9), explained.explanation
    assert math.isclose(explained.propensity, 1 / (1 + math.exp(-raw)), rel_tol=1e-12), explained
    for reason in explained.reasons:
        assert math.isclose(sum(p.contribution for p in parts if p.reason == reason.code), reason.contribution, abs_tol=1e-12), reason
    expect(len(view.last_events), 3)
    assert all(e.event.debtor == "ann" and e.event.tenant == node.tenant and e.stream in ("invoices", "payments", "activity") for e in view.last_events)
    expect(len(node.get("ann", 1000).last_events), 9)
    node.require_applied(node.paid("ann", "p3", 20000))
    paid = node.get("ann")
    expect((paid.open_minor, paid.unapplied_credit_minor, paid.promises[0].state, paid.not_queued_because), (0, 8500, "kept", "nothing is overdue"))
    expect_error(lambda: node.get("nobody"), grpc.StatusCode.NOT_FOUND, "nobody", node.tenant)
    # Names are compared as bytes: another case is another debtor, and what people write goes through.
    node.overdue("Ångström & Söhne, \"A/B\" 株式会社", 4200)
    expect(node.get("Ångström & Söhne, \"A/B\" 株式会社").open_minor, 4200)
    expect_error(lambda: node.get("ANN"), grpc.StatusCode.NOT_FOUND)


def status_and_health(node):
    before = node.status()
    node.overdue("ann", 1000)
    status = node.status()
    expect((status.debtors, status.events_applied), (before.debtors + 1, before.events_applied + 2))
    expect((len(status.partitions), status.parked, status.model), (5, 0, "propensity"))
    for i, partition in enumerate(status.partitions):
        expect((partition.partition, partition.state, partition.reason), (i, "serving", ""))
        expect(list(partition.applied), list(partition.log_end))
        expect(len(partition.checkpointed), 3)
    assert abs(status.now.seconds - datetime.datetime.now().timestamp()) < PATIENCE

    def check(service):
        request = b"" if not service else bytes([0x0A, len(service)]) + service.encode()
        return node.channel.unary_unary("/grpc.health.v1.Health/Check")(request, timeout=PATIENCE)

    for service in ("", "collections.v1.Ingest", "collections.v1.Queues", "collections.v1.Debtors"):
        expect(check(service), b"\x08\x01")
    expect_error(lambda: check("collections.v1.Nothing"), grpc.StatusCode.NOT_FOUND, "collections.v1.Nothing")
    watch = node.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=PATIENCE)
    expect(next(watch), b"\x08\x01")
    watch.cancel()


def invalid_arguments(node):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    queues = [
        (dict(queue="voice"), "queue: must be portfolio/channel", "'voice'"), (dict(queue=""), "queue:"), (dict(queue="a/b/c"), "queue:"), (dict(queue="a/pigeon"), "queue:", "pigeon"),
        (dict(count=0), "count: must be 1 to 1000, but is '0'"), (dict(count=1001), "count: must be 1 to 1000", "1001"), (dict(count=-1), "count:"),
        (dict(lease_seconds=-1), "lease_seconds: must be 0", "'-1'"), (dict(lease_seconds=86401), "lease_seconds:", "86400"),
        (dict(language="tlh"), "language: must be one of en, de, es, fr, but is 'tlh'"), (dict(caller="x" * 129), "caller: must be at most 128"), (dict(request_id="x" * 129), "request_id: must be at most 128"),
    ]
    for change, *says in queues:
        request = dict(dict(tenant=node.tenant, queue="default/voice", count=1, caller="c"), **change)
        expect_error(lambda: node.call("Queues/Pull", kind("PullRequest")(**request), "PullResponse"), invalid, *says)
    for change, *says in [(dict(max_open=0), "max_open: must be 1 to 1000, but is '0'"), (dict(max_open=1001), "max_open:"), (dict(queue="x"), "queue:"), (dict(lease_seconds=-5), "lease_seconds:")]:
        request = dict(dict(tenant=node.tenant, queue="default/voice", max_open=1, caller="c"), **change)
        stream = node.channel.unary_stream("/collections.v1.Queues/Subscribe")(kind("SubscribeRequest")(**request).SerializeToString(), timeout=PATIENCE)
        expect_error(lambda: next(stream), invalid, *says)
    node.overdue("ann", 1000)
    lease = node.pull(1).actions[0].lease
    for change, *says in [
            (dict(outcome=0), "outcome:"), (dict(outcome=99), "outcome:", "99"), (dict(at=dict(seconds=-1)), "at: must be an instant"),
            (dict(at=dict(seconds=1 << 60)), "at:"), (dict(at=dict(seconds=1700000000, nanos=-1)), "at:"), (dict(at=dict(seconds=1700000000, nanos=1000000000)), "at:")]:
        request = dict(dict(lease=lease, outcome=1), **change)
        expect_error(lambda: node.call("Queues/Report", kind("ReportRequest")(**request), "LeaseAnswer"), invalid, *says)
    expect_error(lambda: node.extend(lease, 86401), invalid, "lease_seconds:")
    expect_error(lambda: node.extend(lease, -1), invalid, "lease_seconds:")
    # None of that has touched the lease.
    expect(node.extend(lease).status, number("LeaseStatus", "LEASE_OPEN"))
    for count in (-1, 1001):
        expect_error(lambda: node.get("ann", count), invalid, "last_events: must be 0 to 1000")
    many = [node.event("x", "x") for _ in range(10001)]
    expect_error(lambda: node.append(*many), invalid, "events: at most 10000 in one call", "10001")


def broken_calls(node):
    def raw(method, data=b"", timeout=PATIENCE):
        return node.channel.unary_unary(method)(data, timeout=timeout)

    for data in (b"\xff\xff\xff", b"\x0a\x7f", b"\x0a\x05\x0a\x03ab"):
        expect_error(lambda: raw("/collections.v1.Ingest/Append", data), grpc.StatusCode.INTERNAL)
        stream = node.channel.unary_stream("/collections.v1.Queues/Subscribe")(data, timeout=PATIENCE)
        expect(error_of(lambda: next(stream)).code(), grpc.StatusCode.INTERNAL)
    expect_error(lambda: raw("/collections.v1.Ingest/Prepend"), grpc.StatusCode.UNIMPLEMENTED)
    expect_error(lambda: raw("/collections.v1.Nothing/Append"), grpc.StatusCode.UNIMPLEMENTED)
    expect_error(lambda: raw("/collections.v1.Ingest/Append", bytes(5 * 1024 * 1024)), grpc.StatusCode.RESOURCE_EXHAUSTED)
    # Names that are no UTF-8 are not taken under another name.
    event = node.issued("dave", "i1", 100).SerializeToString().replace(b"dave", b"d\xff\xfee")
    result, = kind("AppendResponse").FromString(raw("/collections.v1.Ingest/Append", bytes([0x0A, len(event)]) + event)).results
    expect((result.status, result.offset), (number("AppendStatus", "APPEND_REFUSED"), -1))
    expect_in("UTF-8", result.reason)
    expect_error(lambda: node.get("d\ufffd\ufffde"), grpc.StatusCode.NOT_FOUND)
    # Nobody stands in the queue, so that nothing but the deadline can end this stream, however fast or slow the machine is.
    waiting = kind("SubscribeRequest")(tenant=node.tenant, queue="default/voice", max_open=1, caller="c", lease_seconds=600).SerializeToString()
    stream = node.channel.unary_stream("/collections.v1.Queues/Subscribe")(waiting, timeout=0.2)
    expect(error_of(lambda: next(stream)).code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    # The node has survived all of it.
    node.overdue("ann", 1000)
    expect(node.get("ann").open_minor, 1000)


def main(address, descriptors, scenario):
    load(descriptors)
    with grpc.insecure_channel(address) as channel:
        globals()[scenario](Node(channel, "by-" + scenario))


if __name__ == "__main__":
    main(*sys.argv[1:])
