package dev.sluice.proxy.accounting;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.request.TraceContext;
import dev.sluice.proxy.response.Outcome;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A place for one {@link CallRecord}, kept as bytes and used again for the next. As objects, ten
/// thousand records of a dozen objects each outlive every young collection and are copied by it:
/// pauses were ten times as long.
///
/// The client's address is not among them.
///
/// Any thread: writers and readers of one place take turns, which is rare enough to cost nothing.
final class StoredCall {
    private static final int USUAL_BYTES = 384;
    private static final int NULL = -1;

    private final ByteBuf bytes = Unpooled.buffer(USUAL_BYTES);

    /// Replaces what was kept.
    synchronized void write(CallRecord call) {
        bytes.clear();
        write(call.request());
        text(call.method());
        text(call.path());
        text(call.pool());
        bytes.writeLong(call.startMs()).writeLong(call.startNanos());
        write(call.trace());
        write(call.outcome());
        bytes.writeInt(call.status());
        List<CallRecord.Attempt> attempts = call.attempts();
        bytes.writeInt(attempts.size());
        for (int i = 0; i < attempts.size(); i++) {
            write(attempts.get(i));
        }
        bytes.writeLong(call.queueNanos())
                .writeLong(call.ttftNanos())
                .writeLong(call.totalNanos())
                .writeLong(call.overheadNanos())
                .writeInt(call.promptTokens())
                .writeBoolean(call.usageReported())
                .writeInt(call.outputTokens())
                .writeLong(call.bytesIn())
                .writeLong(call.bytesOut());
        text(call.reason());
    }

    /// What is kept; null before the first.
    synchronized @Nullable CallRecord read() {
        if (bytes.writerIndex() == 0) {
            return null;
        }
        bytes.readerIndex(0);
        return new CallRecord(
                request(),
                text(),
                text(),
                text(),
                bytes.readLong(),
                bytes.readLong(),
                null,
                trace(),
                outcome(),
                bytes.readInt(),
                attempts(),
                bytes.readLong(),
                bytes.readLong(),
                bytes.readLong(),
                bytes.readLong(),
                bytes.readInt(),
                bytes.readBoolean(),
                bytes.readInt(),
                bytes.readLong(),
                bytes.readLong(),
                text());
    }

    private void write(InferenceRequest request) {
        text(request.id());
        word(request.api());
        text(request.model());
        bytes.writeBoolean(request.stream());
        bytes.writeLong(request.promptBytes());
        bytes.writeInt(request.maxTokens());
        text(request.tenant());
        text(request.affinity());
    }

    private InferenceRequest request() {
        return new InferenceRequest(
                text(),
                of(Api.values()),
                text(),
                bytes.readBoolean(),
                bytes.readLong(),
                bytes.readInt(),
                text(),
                textOrNull());
    }

    private void write(@Nullable TraceContext trace) {
        bytes.writeBoolean(trace != null);
        if (trace != null) {
            text(trace.traceId());
            text(trace.parent());
            text(trace.span());
            bytes.writeBoolean(trace.sampled());
        }
    }

    private @Nullable TraceContext trace() {
        return bytes.readBoolean()
                ? new TraceContext(text(), textOrNull(), textOrNull(), bytes.readBoolean())
                : null;
    }

    private void write(CallRecord.Attempt attempt) {
        text(attempt.endpoint());
        text(attempt.reason());
        word(attempt.result());
        bytes.writeInt(attempt.status())
                .writeBoolean(attempt.reused())
                .writeLong(attempt.startNanos())
                .writeLong(attempt.endNanos());
        text(attempt.span());
    }

    private List<CallRecord.Attempt> attempts() {
        int count = bytes.readInt();
        var attempts = new ArrayList<CallRecord.Attempt>(count);
        for (int i = 0; i < count; i++) {
            attempts.add(
                    new CallRecord.Attempt(
                            text(),
                            text(),
                            of(AttemptResult.values()),
                            bytes.readInt(),
                            bytes.readBoolean(),
                            bytes.readLong(),
                            bytes.readLong(),
                            textOrNull()));
        }
        return attempts;
    }

    private void write(Outcome outcome) {
        switch (outcome) {
            case Outcome.Completed(int status) -> bytes.writeByte(0).writeInt(status);
            case Outcome.Cancelled(Outcome.Phase phase) -> {
                bytes.writeByte(1);
                word(phase);
            }
            case Outcome.Rejected(Refusal refusal) -> {
                bytes.writeByte(2);
                write(refusal);
            }
            case Outcome.Failed(Refusal refusal, AttemptResult last) -> {
                bytes.writeByte(3);
                word(last);
                write(refusal);
            }
            case Outcome.Broken(AttemptResult result) -> {
                bytes.writeByte(4);
                word(result);
            }
        }
    }

    private Outcome outcome() {
        return switch (bytes.readByte()) {
            case 0 -> new Outcome.Completed(bytes.readInt());
            case 1 -> new Outcome.Cancelled(of(Outcome.Phase.values()));
            case 2 -> new Outcome.Rejected(refusal());
            case 3 -> {
                AttemptResult last = of(AttemptResult.values());
                yield new Outcome.Failed(refusal(), last);
            }
            case 4 -> new Outcome.Broken(of(AttemptResult.values()));
            default -> throw new IllegalStateException("not an outcome");
        };
    }

    private void write(Refusal refusal) {
        bytes.writeInt(refusal.status());
        text(refusal.type());
        text(refusal.code());
        text(refusal.message());
        text(refusal.param());
        Duration wait = refusal.retryAfter();
        bytes.writeLong(wait == null ? NULL : wait.toNanos());
    }

    private Refusal refusal() {
        return new Refusal(bytes.readInt(), text(), text(), text(), textOrNull(), wait(bytes));
    }

    private static @Nullable Duration wait(ByteBuf bytes) {
        long nanos = bytes.readLong();
        return nanos == NULL ? null : Duration.ofNanos(nanos);
    }

    private void text(@Nullable String text) {
        if (text == null) {
            bytes.writeInt(NULL);
            return;
        }
        int at = bytes.writerIndex();
        bytes.writeInt(0);
        bytes.setInt(at, ByteBufUtil.writeUtf8(bytes, text));
    }

    private String text() {
        String text = textOrNull();
        return text == null ? "" : text;
    }

    private @Nullable String textOrNull() {
        int length = bytes.readInt();
        return length == NULL
                ? null
                : bytes.readCharSequence(length, StandardCharsets.UTF_8).toString();
    }

    /// The position will do: these bytes do not outlive the process.
    @SuppressWarnings("EnumOrdinal")
    private void word(Enum<?> value) {
        bytes.writeByte(value.ordinal());
    }

    private <E> E of(E[] values) {
        return values[bytes.readByte()];
    }
}
