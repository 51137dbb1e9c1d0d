// An engine that sends each WebSocket message back: node echo.mjs PORT. Its framing is the library's own.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const http = createServer((request, response) => {
  response.statusCode = request.url === "/health" ? 200 : 404;
  response.end();
});
const sockets = new WebSocketServer({ server: http, maxPayload: 64 << 20, perMessageDeflate: true });
sockets.on("connection", socket => {
  socket.on("message", (message, binary) => socket.send(message, { binary }));
  socket.on("error", () => {}); // what a case provokes; the library closes with the code that is due
});
http.listen(Number(process.argv[2]), "127.0.0.1");
