package dev.sluice.proxy.http;

import io.netty.buffer.ByteBuf;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/// Follows the framing of one body through the buffers that it comes in, and says which of their
/// bytes are content. Nothing is copied and nothing is made per chunk: the caller gets ranges.
///
/// A chunk-size line is passed on (to callers that relay framing) only once it is whole and sound;
/// one with an extension, or one that lies across two buffers, is given as its size, to be written
/// anew. The last chunk and its trailers are never passed on: the caller ends its own message.
///
/// Grammar: RFC 9112, section 7.1; CRLF only, at most 15 hex digits, trailers that would change
/// framing, routing or identity refused. Event loop only; one body at a time.
public final class BodyFraming {
    private static final int MAX_EXTENSION = 4 * 1024;
    private static final int MAX_TRAILERS = 8 * 1024;
    private static final int MAX_SIZE_DIGITS = 15;

    /// Receives what was found in one buffer, in order.
    public interface Sink {
        /// A chunk of this size begins; its size line stands at `[start, end)` of the buffer, or
        /// nowhere whole (`start` is -1). Only for chunked bodies.
        void chunk(ByteBuf in, int start, int end, long size);

        /// Content at `[start, end)` of the buffer.
        void content(ByteBuf in, int start, int end);

        /// The line break after a chunk's content stands at `[start, end)`; either half may come
        /// alone.
        void chunkEnd(ByteBuf in, int start, int end);
    }

    private enum State {
        /// Content of a declared length, or of one chunk.
        LENGTH,
        UNTIL_CLOSE,
        SIZE,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER_START,
        TRAILER_NAME,
        TRAILER_VALUE,
        TRAILER_LF,
        END_LF,
        DONE
    }

    private State state = State.DONE;
    private long remaining;
    private int digits;
    private int lineStart;
    private int extension;
    private int trailers;
    private final StringBuilder trailerName = new StringBuilder();

    /// Begins a body of so many bytes.
    public void length(long bytes) {
        remaining = bytes;
        state = bytes == 0 ? State.DONE : State.LENGTH;
    }

    /// Begins a chunked body.
    public void chunked() {
        state = State.SIZE;
        remaining = 0;
        digits = 0;
        extension = 0;
        trailers = 0;
    }

    /// Begins a body that ends with the connection.
    public void untilClose() {
        state = State.UNTIL_CLOSE;
    }

    public void none() {
        state = State.DONE;
    }

    public boolean done() {
        return state == State.DONE;
    }

    /// Whether closing the connection here ends the body rather than cutting it.
    public boolean endsWithClose() {
        return state == State.UNTIL_CLOSE || state == State.DONE;
    }

    /// Bytes of the current chunk not yet seen; 0 between chunks.
    public long inChunk() {
        return state == State.DATA ? remaining : 0;
    }

    /// Reads on from the buffer's reader index to its end or to the end of the body, whichever is
    /// first.
    public @Nullable Violation read(ByteBuf in, Sink sink) {
        if (state == State.SIZE || state == State.EXTENSION || state == State.SIZE_LF) {
            lineStart = -1;
        }
        while (in.isReadable() && state != State.DONE) {
            Violation v =
                    switch (state) {
                        case LENGTH, DATA -> content(in, sink);
                        case UNTIL_CLOSE -> {
                            sink.content(in, in.readerIndex(), in.writerIndex());
                            in.readerIndex(in.writerIndex());
                            yield null;
                        }
                        case SIZE -> size(in);
                        case EXTENSION -> extension(in);
                        case SIZE_LF -> sizeLineEnd(in, sink);
                        case DATA_CR -> {
                            if (in.readByte() != '\r') {
                                yield Violation.bad("chunk longer than its size");
                            }
                            sink.chunkEnd(in, in.readerIndex() - 1, in.readerIndex());
                            state = State.DATA_LF;
                            yield null;
                        }
                        case DATA_LF -> {
                            if (in.readByte() != '\n') {
                                yield Violation.bad("chunk not ended by CRLF");
                            }
                            sink.chunkEnd(in, in.readerIndex() - 1, in.readerIndex());
                            state = State.SIZE;
                            remaining = 0;
                            digits = 0;
                            extension = 0;
                            lineStart = in.readerIndex();
                            yield null;
                        }
                        case TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, END_LF ->
                                trailer(in);
                        case DONE -> null;
                    };
            if (v != null) {
                return v;
            }
        }
        return null;
    }

    private @Nullable Violation content(ByteBuf in, Sink sink) {
        int start = in.readerIndex();
        int n = (int) Math.min(remaining, in.readableBytes());
        in.readerIndex(start + n);
        remaining -= n;
        sink.content(in, start, start + n);
        if (remaining == 0) {
            state = state == State.LENGTH ? State.DONE : State.DATA_CR;
        }
        return null;
    }

    private @Nullable Violation size(ByteBuf in) {
        if (lineStart < 0 && digits == 0) {
            lineStart = in.readerIndex();
        }
        while (in.isReadable()) {
            byte c = in.readByte();
            int value =
                    c >= '0' && c <= '9'
                            ? c - '0'
                            : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
            if (value >= 0) {
                if (++digits > MAX_SIZE_DIGITS) {
                    return Violation.bad("chunk size too large");
                }
                remaining = remaining << 4 | value;
                continue;
            }
            if (digits == 0) {
                return Violation.bad("chunk size is not a hexadecimal number");
            }
            if (c == '\r') {
                state = State.SIZE_LF;
                return null;
            }
            if (c == ';') {
                state = State.EXTENSION;
                return null;
            }
            return Violation.bad("chunk size is not a hexadecimal number");
        }
        return null;
    }

    private @Nullable Violation extension(ByteBuf in) {
        while (in.isReadable()) {
            byte c = in.readByte();
            extension++;
            if (c == '\r') {
                state = State.SIZE_LF;
                return null;
            }
            if ((c >= 0 && c < 0x20 && c != '\t') || c == 0x7f || extension > MAX_EXTENSION) {
                return Violation.bad("malformed chunk extension");
            }
        }
        return null;
    }

    private @Nullable Violation sizeLineEnd(ByteBuf in, Sink sink) {
        if (in.readByte() != '\n') {
            return Violation.bad("chunk size not ended by CRLF");
        }
        if (remaining == 0) {
            state = State.TRAILER_START;
            return null;
        }
        state = State.DATA;
        sink.chunk(in, extension > 0 ? -1 : lineStart, in.readerIndex(), remaining);
        return null;
    }

    private @Nullable Violation trailer(ByteBuf in) {
        byte c = in.readByte();
        if (++trailers > MAX_TRAILERS) {
            return Violation.bad("trailers too long");
        }
        return switch (state) {
            case TRAILER_START -> {
                trailerName.setLength(0);
                if (c == '\r') {
                    state = State.END_LF;
                    yield null;
                }
                state = State.TRAILER_NAME;
                yield trailerName(c);
            }
            case TRAILER_NAME -> trailerName(c);
            case TRAILER_VALUE -> {
                if (c == '\r') {
                    state = State.TRAILER_LF;
                    yield null;
                }
                yield (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f
                        ? Violation.bad("control character in a trailer")
                        : null;
            }
            case TRAILER_LF -> {
                state = State.TRAILER_START;
                yield c == '\n' ? null : Violation.bad("trailer not ended by CRLF");
            }
            case END_LF -> {
                state = State.DONE;
                yield c == '\n' ? null : Violation.bad("trailers not ended by CRLF");
            }
            case LENGTH, UNTIL_CLOSE, SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, DONE ->
                    throw new IllegalStateException(state.name());
        };
    }

    private @Nullable Violation trailerName(byte c) {
        if (c != ':') {
            if (!Fields.token(c)) {
                return Violation.bad("malformed trailer");
            }
            trailerName.append((char) c);
            return null;
        }
        if (trailerName.isEmpty()) {
            return Violation.bad("malformed trailer");
        }
        state = State.TRAILER_VALUE;
        byte[] name = trailerName.toString().getBytes(StandardCharsets.US_ASCII);
        return switch (Field.of(name, 0, name.length)) {
            case HOST,
                    CONTENT_LENGTH,
                    TRANSFER_ENCODING,
                    CONNECTION,
                    TE,
                    TRAILER,
                    UPGRADE,
                    AUTHORIZATION,
                    API_KEY,
                    AZURE_API_KEY,
                    COOKIE,
                    PROXY_AUTHORIZATION,
                    CONTENT_TYPE,
                    CONTENT_ENCODING,
                    EXPECT ->
                    Violation.bad(trailerName + " in a trailer");
            case OTHER,
                    KEEP_ALIVE,
                    PROXY_CONNECTION,
                    PROXY_AUTHENTICATE,
                    HTTP2_SETTINGS,
                    RETRY_AFTER,
                    REQUEST_ID,
                    SLUICE,
                    FORWARDED,
                    X_FORWARDED ->
                    null;
        };
    }
}
