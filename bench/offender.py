#!/usr/bin/env python3
"""Hostile clients for bench/slow: offender.py MODE PORT COUNT SECONDS. Prints one line of JSON at its end.

stall takes streamed answers byte by byte. The rest are floods of HTTP/2 frames (RFC 9113), by clients that connect
again whenever they are closed. `origin PORT` serves long answers to whoever asks for many tokens.
"""
import asyncio, json, socket, struct, sys, time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    return bytes([len(value)]) + value


# POST /v1/chat/completions, by HPACK's static table (RFC 7541, appendix A) and literals.
BLOCK = b"\x83\x86\x04" + text(b"/v1/chat/completions") + b"\x01" + text(b"bench") + b"\x0f\x10" + text(b"application/json")


def reset():
    for stream in range(1, 20001, 2):
        yield frame(HEADERS, END_HEADERS, stream, BLOCK) + frame(RST, 0, stream, struct.pack(">I", 8))


def requests():
    """Requests without end: nothing is ever reset, each is malformed in a way that makes the server reset it."""
    for stream in range(1, 20001, 2):
        yield frame(HEADERS, END_HEADERS, stream, BLOCK) + frame(WINDOW, 0, stream, struct.pack(">I", 0))


def continuation():
    yield frame(HEADERS, 0, 1, BLOCK)
    while True:
        yield frame(CONTINUATION, 0, 1, b"\x00" + text(b"x-a") + text(b"b"))


def big_continuation():
    yield frame(HEADERS, 0, 1, BLOCK)
    while True:
        yield frame(CONTINUATION, 0, 1, (b"\x00" + text(b"x-a") + text(b"b" * 120)) * 128)


def settings():
    while True:
        yield frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100))


def ping():
    while True:
        yield frame(PING, 0, 0, b"12345678")


def empty_data():
    yield frame(HEADERS, END_HEADERS, 1, BLOCK)
    while True:
        yield frame(DATA, 0, 1)


def priority():
    while True:
        yield frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 15))


def window():
    while True:
        yield frame(WINDOW, 0, 0, struct.pack(">I", 1))


FLOODS = {"h2-reset": reset, "h2-requests": requests, "h2-continuation": continuation,
          "h2-big-continuation": big_continuation, "h2-settings": settings, "h2-ping": ping,
          "h2-empty-data": empty_data, "h2-priority": priority, "h2-window": window}


async def until_closed(reader):
    try:
        await reader.read(-1)
    except OSError:
        pass


async def flood(mode, port, until):
    """Floods until it is closed, again and again: how long each connection lived, and what it could send."""
    lives, sent = [], 0
    while time.time() < until:
        began = time.time()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            ended = asyncio.create_task(until_closed(reader))
            writer.write(PREFACE + frame(SETTINGS, 0, 0))
            part = b""
            for one in FLOODS[mode]():
                part += one
                sent += 1
                if len(part) > 4096:
                    writer.write(part)
                    part = b""
                    await writer.drain()
                    await asyncio.sleep(0.001)
                    if ended.done() or time.time() - began > 10:
                        break
            writer.write(part)
            await asyncio.wait([ended], timeout=10)
            lives.append(time.time() - began if ended.done() else float("inf"))
            ended.cancel()
            writer.transport.abort()
        except OSError:
            lives.append(time.time() - began)
        await asyncio.sleep(0.2)
    return lives, sent


async def floods(mode, port, count, seconds):
    results = await asyncio.gather(*(flood(mode, port, time.time() + seconds) for _ in range(count)))
    lives = [life for ones, _ in results for life in ones]
    print(json.dumps({"connections": len(lives), "frames": sum(sent for _, sent in results), "longest": max(lives),
                      "mean": sum(lives) / len(lives)}))


async def stalled(port, until):
    """Asks for a long stream and takes 16 bytes of it every 5 s."""
    loop = asyncio.get_running_loop()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setblocking(False)
        try:
            await loop.sock_connect(s, ("127.0.0.1", port))
            body = json.dumps({"model": "sim", "messages": [], "stream": True, "max_tokens": 100000}).encode()
            await loop.sock_sendall(s, b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
            while time.time() < until:
                if not await asyncio.wait_for(loop.sock_recv(s, 16), until - time.time()):
                    return
                await asyncio.sleep(5)
        except (OSError, asyncio.TimeoutError):
            pass


async def stall(port, count, seconds):
    tasks = []
    for i in range(count):
        tasks.append(asyncio.create_task(stalled(port, time.time() + seconds)))
        if i % 20 == 0:
            await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    print(json.dumps({"connections": count}))


LONG = b"".join(b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%04d water"},'
                b'"finish_reason":null}]}\n\n' % i for i in range(4000)) + b"data: [DONE]\n\n"
SHORT = json.dumps({"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": {
    "role": "assistant", "content": "water"}, "finish_reason": "stop"}], "usage": {
    "prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}}).encode()
MODELS = b'{"object":"list","data":[{"id":"sim","object":"model"}]}'


async def answer(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
            body = await reader.readexactly(length)
            out, kind = (MODELS, "application/json") if head.startswith("get") else \
                (LONG, "text/event-stream") if b"100000" in body else (SHORT, "application/json")
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(out)}\r\n\r\n".encode() + out)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def origin(port):
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "origin":
        asyncio.run(origin(int(sys.argv[2])))
    elif sys.argv[1] == "stall":
        asyncio.run(stall(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        asyncio.run(floods(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
