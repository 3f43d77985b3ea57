"""Calls the test server with grpcio, the gRPC library of Python, as a client that knows nothing of the server's code.

Usage: grpcio_client.py ADDRESS SCENARIO [CERTIFICATE_FILE]. Exits with 0 if the server behaved as the scenario says.
Messages are encoded by hand, so that nothing but grpcio itself is needed.
"""
import sys
import threading

import grpc

ECHO = "/collections.grpc.tests.Echo/"
HEALTH = "/grpc.health.v1.Health/"
PATIENCE = 120

BEHAVIOUR_FAIL, BEHAVIOUR_THROW, BEHAVIOUR_WAIT, BEHAVIOUR_METADATA = 1, 2, 3, 4


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def request(said="", count=0, reply_bytes=0, payload=b"", behaviour=0, status_code=0):
    return (text(1, said) + number(2, count) + number(3, reply_bytes) + text(4, payload)
            + number(5, behaviour) + number(6, status_code))


def fields(message):
    found, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = read()
        value = read()
        if key & 7 == 2:
            length, value = value, message[at:at + value]
            assert len(value) == length
            at += length
        found[key >> 3] = value
    return found


def said(reply):
    return fields(reply).get(1, b"").decode()


def error_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call did not fail")


def expect(actual, expected):
    assert actual == expected, f"got {actual!r}, expected {expected!r}"


def unary(channel):
    for sent in ("hello", "", "Zürich €"):
        expect(said(channel.unary_unary(ECHO + "Unary")(request(sent), timeout=PATIENCE)), sent)


def server_stream(channel):
    replies = list(channel.unary_stream(ECHO + "ServerStream")(request("s", count=300), timeout=PATIENCE))
    expect([fields(reply).get(2, 0) for reply in replies], list(range(300)))
    expect(list(channel.unary_stream(ECHO + "ServerStream")(request(), timeout=PATIENCE)), [])


def client_stream(channel):
    reply = channel.stream_unary(ECHO + "ClientStream")(iter([request(c) for c in "abcdef"]), timeout=PATIENCE)
    expect((said(reply), fields(reply)[2]), ("abcdef", 6))


def duplex(channel):
    replies = channel.stream_stream(ECHO + "Duplex")(iter([request(str(i)) for i in range(100)]), timeout=PATIENCE)
    expect([said(reply) for reply in replies], [str(i) for i in range(100)])


def deadline(channel):
    grpc.channel_ready_future(channel).result(PATIENCE)
    waiting = request(behaviour=BEHAVIOUR_WAIT)
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(waiting, timeout=1))
    expect(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)


def deadline_of_a_stream(channel):
    grpc.channel_ready_future(channel).result(PATIENCE)
    waiting = request(count=2, behaviour=BEHAVIOUR_WAIT)
    replies = channel.unary_stream(ECHO + "ServerStream")(waiting, timeout=2)
    expect([fields(next(replies)).get(2, 0) for _ in range(2)], [0, 1])
    expect(error_of(lambda: next(replies)).code(), grpc.StatusCode.DEADLINE_EXCEEDED)


def cancellation(channel):
    replies = channel.unary_stream(ECHO + "ServerStream")(request(count=1, behaviour=BEHAVIOUR_WAIT), timeout=PATIENCE)
    next(replies)
    replies.cancel()
    expect(error_of(lambda: next(replies)).code(), grpc.StatusCode.CANCELLED)


def metadata(channel):
    sent = (("x-text", "plain, with a comma"), ("x-many", "1"), ("x-many", "2"), ("x-raw-bin", bytes(range(256))))
    reply, call = channel.unary_unary(ECHO + "Unary").with_call(
        request(behaviour=BEHAVIOUR_METADATA), metadata=sent, timeout=PATIENCE)
    headers = [(key, value) for key, value in call.initial_metadata() if key.startswith("x-")]
    expect(sorted(headers), sorted(sent))
    trailers = [(key, value) for key, value in call.trailing_metadata() if key.startswith("trailing-x-")]
    expect(sorted(trailers), sorted(("trailing-" + key, value) for key, value in sent))
    expect(call.code(), grpc.StatusCode.OK)


def status_and_details(channel):
    detail = "100 % fehlt: Zürich €\n✓ 😀"
    for code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED):
        failing = request(detail, behaviour=BEHAVIOUR_FAIL, status_code=code.value[0])
        error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(failing, timeout=PATIENCE))
        expect((error.code(), error.details()), (code, detail))
        trailers = dict(error.trailing_metadata())
        expect((trailers["x-reason"], trailers["x-detail-bin"]), ("asked to", b"\x01\x02\xff"))


def status_after_messages(channel):
    failing = request("late", count=2, behaviour=BEHAVIOUR_FAIL, status_code=10)
    replies = channel.unary_stream(ECHO + "ServerStream")(failing, timeout=PATIENCE)
    expect([said(next(replies)) for _ in range(2)], ["late", "late"])
    error = error_of(lambda: next(replies))
    expect((error.code(), error.details()), (grpc.StatusCode.ABORTED, "late"))
    expect(dict(replies.trailing_metadata())["x-reason"], "asked to")


def long_detail(channel):
    failing = request("x" * 50000, behaviour=BEHAVIOUR_FAIL, status_code=5)
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(failing, timeout=PATIENCE))
    expect(error.code(), grpc.StatusCode.NOT_FOUND)


def unhandled_exception(channel):
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(request(behaviour=BEHAVIOUR_THROW), timeout=PATIENCE))
    expect(error.code(), grpc.StatusCode.UNKNOWN)
    assert "secret" not in error.details()


def oversized_request(channel):
    large = request(payload=bytes(4 * 1024 * 1024))
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(large, timeout=PATIENCE))
    expect(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    expect(said(channel.unary_unary(ECHO + "Unary")(request("still there"), timeout=PATIENCE)), "still there")


def oversized_response(channel):
    large = request(reply_bytes=65 * 1024 * 1024)
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(large, timeout=PATIENCE))
    expect(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert "may be sent" in error.details(), error.details()
    expect(said(channel.unary_unary(ECHO + "Unary")(request("still there"), timeout=PATIENCE)), "still there")


def unknown_service_and_method(channel):
    for path in (ECHO + "Nothing", "/nobody.Nothing/Unary"):
        error = error_of(lambda: channel.unary_unary(path)(request(), timeout=PATIENCE))
        expect(error.code(), grpc.StatusCode.UNIMPLEMENTED)
        assert path in error.details()


def malformed_protobuf(channel):
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(b"\xff\xff\xff", timeout=PATIENCE))
    expect(error.code(), grpc.StatusCode.INTERNAL)
    replies = channel.unary_stream(ECHO + "ServerStream")(b"\x0a\x7f", timeout=PATIENCE)
    expect(error_of(lambda: next(replies)).code(), grpc.StatusCode.INTERNAL)


def gzip_request(channel):
    payload = bytes(200000)
    reply = channel.unary_unary(ECHO + "Unary")(
        request(payload=payload), timeout=PATIENCE, compression=grpc.Compression.Gzip)
    expect(fields(reply)[4], len(payload))


def deflate_request(channel):
    error = error_of(lambda: channel.unary_unary(ECHO + "Unary")(
        request(payload=bytes(1000)), timeout=PATIENCE, compression=grpc.Compression.Deflate))
    expect(error.code(), grpc.StatusCode.UNIMPLEMENTED)


def health(channel):
    check = channel.unary_unary(HEALTH + "Check")
    expect(fields(check(text(1, "ready"), timeout=PATIENCE)), {1: 1})
    expect(fields(check(text(1, "broken"), timeout=PATIENCE)), {1: 2})
    expect(error_of(lambda: check(text(1, "nobody"), timeout=PATIENCE)).code(), grpc.StatusCode.NOT_FOUND)
    watch = channel.unary_stream(HEALTH + "Watch")(text(1, "watched"), timeout=PATIENCE)
    expect(fields(next(watch)), {1: 3})
    # The test answers this line by setting the service's health.
    print("WATCHING", flush=True)
    expect(fields(next(watch)), {1: 1})
    watch.cancel()


def thousand_at_once(channel):
    call = channel.unary_unary(ECHO + "Unary")
    futures = [call.future(request(str(i), reply_bytes=100), timeout=PATIENCE) for i in range(1000)]
    expect([said(future.result()) for future in futures], [str(i) for i in range(1000)])


def many_streams_at_once(channel):
    call = channel.unary_stream(ECHO + "ServerStream")
    streams = [call(request(str(i), count=3), timeout=PATIENCE) for i in range(300)]
    expect([[said(reply) for reply in stream] for stream in streams], [[str(i)] * 3 for i in range(300)])


def large_messages(channel):
    size = 2 * 1024 * 1024
    results = []

    def one():
        reply = fields(channel.unary_unary(ECHO + "Unary")(
            request(payload=bytes(size), reply_bytes=size), timeout=PATIENCE))
        results.append((len(reply[3]), reply[4]))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(results, [(size, size)] * 4)
    replies = channel.unary_stream(ECHO + "ServerStream")(request(count=10, reply_bytes=size), timeout=PATIENCE)
    expect([len(fields(reply)[3]) for reply in replies], [size] * 10)


def main():
    address, scenario = sys.argv[1], sys.argv[2]
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as file:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        globals()[scenario](channel)


if __name__ == "__main__":
    main()
