package dev.sluice.proxy.request;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The body of one request: slices kept so that it can be sent, and sent again to another endpoint
/// while it is small enough. Owns its slices until {@link #release()}. Event loop only.
public final class RequestBody {
    private static final int COPIED_BELOW = 4 * 1024;

    private final JsonScan scan = new JsonScan();
    private final boolean json;
    private final HeldBodies.Share held;
    private final List<ByteBuf> slices = new ArrayList<>(2);
    private long size;
    private int kept;
    private int growth;
    private boolean complete;
    private boolean forgotten;

    /// @param json whether to scan it
    /// @param held where its bytes are counted
    public RequestBody(boolean json, HeldBodies.Share held) {
        this.json = json;
        this.held = held;
    }

    /// Adds bytes and takes their reference over.
    ///
    /// @return what is wrong with the JSON so far
    public @Nullable Refusal append(ByteBuf slice) {
        size += slice.readableBytes();
        kept += slice.readableBytes();
        held.add(slice.readableBytes());
        slices.add(slice);
        return json ? scan.read(slice) : null;
    }

    /// Checks bytes that were sent on without being kept.
    public @Nullable Refusal pass(ByteBuf slice) {
        size += slice.readableBytes();
        return json ? scan.read(slice) : null;
    }

    public @Nullable Refusal complete() {
        complete = true;
        return json && size > 0 ? scan.finish() : null;
    }

    public boolean isComplete() {
        return complete;
    }

    /// Whether all that was received so far can be sent again.
    public boolean replayable() {
        return complete && !forgotten;
    }

    public JsonScan scan() {
        return scan;
    }

    /// Bytes received so far.
    public long size() {
        return size;
    }

    /// By how much a renamed model made the body longer than the client declared.
    public int growth() {
        return growth;
    }

    /// Bytes held.
    public int kept() {
        return kept;
    }

    /// Puts another model's name in place of the one that the client wrote; the rest of the body
    /// stays byte for byte as it is. Only before anything is sent.
    public void rename(String model, ByteBufAllocator allocator) {
        int start = (int) scan.modelStart();
        int end = (int) scan.modelEnd();
        byte[] quoted = quote(model);
        ByteBuf renamed = allocator.buffer(kept + quoted.length);
        int at = 0;
        for (ByteBuf slice : slices) {
            int n = slice.readableBytes();
            copy(slice, at, 0, start, renamed);
            if (start >= at && start < at + n) {
                renamed.writeBytes(quoted);
            }
            copy(slice, at, end, Integer.MAX_VALUE, renamed);
            at += n;
            slice.release();
        }
        slices.clear();
        slices.add(renamed);
        held.add(renamed.readableBytes() - kept);
        growth += renamed.readableBytes() - kept;
        size += renamed.readableBytes() - kept;
        kept = renamed.readableBytes();
    }

    /// Copies what of `slice`, which stands at `at` in the body, lies in `[from, to)` of the body.
    private static void copy(ByteBuf slice, int at, int from, int to, ByteBuf out) {
        int first = Math.max(from, at);
        int last = Math.min(to, at + slice.readableBytes());
        if (first < last) {
            out.writeBytes(slice, slice.readerIndex() + first - at, last - first);
        }
    }

    private static byte[] quote(String model) {
        String escaped = String.valueOf(JsonStringEncoder.getInstance().quoteAsString(model));
        return ('"' + escaped + '"').getBytes(StandardCharsets.UTF_8);
    }

    /// Whether the body is small enough to be copied behind the head, which costs less than one
    /// more buffer in the write.
    public boolean small() {
        return kept <= COPIED_BELOW;
    }

    public void copyTo(ByteBuf out) {
        for (ByteBuf slice : slices) {
            out.writeBytes(slice, slice.readerIndex(), slice.readableBytes());
        }
    }

    /// The slices, still owned here: whoever writes one writes a retained duplicate.
    public List<ByteBuf> slices() {
        return slices;
    }

    /// Lets the slices go. It can be asked for sizes and fields afterwards, but not be sent again.
    public void release() {
        forgotten = true;
        held.add(-kept);
        kept = 0;
        slices.forEach(ByteBuf::release);
        slices.clear();
    }
}
