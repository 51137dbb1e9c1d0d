"""An engine that sends each WebSocket message back: python echo.py PORT. Its framing is the library's own."""
import asyncio, http, sys
from websockets.asyncio.server import serve


async def echo(socket):
    async for message in socket:
        await socket.send(message)


def probe(connection, request):
    if request.path == "/health":
        return connection.respond(http.HTTPStatus.OK, "ok\n")
    if not request.path.startswith("/v1/realtime"):
        return connection.respond(http.HTTPStatus.NOT_FOUND, "not here\n")


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), process_request=probe, max_size=64 << 20, ping_interval=None,
                     max_queue=4):
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
