package dev.sluice.simulator.replay;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

import dev.sluice.simulator.trace.TraceCall;
import dev.sluice.simulator.transport.Transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// An open-loop client. Each call begins at its time in the trace divided by the speed, whatever
/// the others do, and every latency counts from that intended moment: if this client or the server
/// falls behind, the figures say so.
///
/// Connections are kept alive and opened as needed up to a limit; idle ones are not used after four
/// seconds, a second before uvicorn closes them. A call on a reused connection that dies without a
/// byte is made once more on a fresh one, as HTTP clients do.
public final class Replay implements ClientConnection.Owner {
    private static final long IDLE_NANOS = Duration.ofSeconds(4).toNanos();
    private static final long REPORT_MILLIS = 200;

    /// A call and when to make it.
    private record Due(TraceCall call, long offsetNanos) {}

    private final ReplayConfig config;
    private final ReplayListener listener;
    private final List<Due> plan;
    private final String model;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final Tally tally = new Tally();
    private final Prose prose;
    private final SplittableRandom random;
    private final CompletableFuture<ReplaySummary> summary = new CompletableFuture<>();
    private final ArrayDeque<ClientConnection> idle = new ArrayDeque<>();
    private final Set<ClientConnection> open = new HashSet<>();
    private final ArrayDeque<Call> waiting = new ArrayDeque<>();
    private long startNanos;
    private int next;
    private int connecting;
    private boolean stopped;

    private Replay(ReplayConfig config, List<TraceCall> calls, ReplayListener listener)
            throws IOException {
        this.config = config;
        this.listener = listener;
        this.random = new SplittableRandom(config.seed());
        this.prose = new Prose(config.seed());
        this.plan = plan(calls);
        this.model = config.model() != null ? config.model() : ServedModel.of(config);
        this.group = Transport.oneLoop("replay");
        this.loop = group.next();
        this.bootstrap = bootstrap();
    }

    /// Makes all calls and waits for their ends. An interrupt stops it as {@link #stop} does.
    ///
    /// @throws IOException when no model was named and the target does not tell one
    public static ReplaySummary run(
            ReplayConfig config, List<TraceCall> calls, ReplayListener listener)
            throws IOException {
        return start(config, calls, listener).await();
    }

    /// Begins at once and returns.
    public static Replay start(ReplayConfig config, List<TraceCall> calls, ReplayListener listener)
            throws IOException {
        var replay = new Replay(config, calls, listener);
        replay.loop.execute(replay::begin);
        return replay;
    }

    /// Waits for the end of the last call.
    public ReplaySummary await() {
        try {
            return summary.get();
        } catch (InterruptedException e) {
            stop();
            ReplaySummary result = summary.join();
            Thread.currentThread().interrupt();
            return result;
        } catch (ExecutionException e) {
            throw new IllegalStateException("the replay broke", e.getCause());
        }
    }

    /// Makes no further call and leaves those that run; they count as cancelled.
    public void stop() {
        loop.execute(
                () -> {
                    stopped = true;
                    waiting.forEach(Call::left);
                    waiting.clear();
                    for (ClientConnection connection : List.copyOf(open)) {
                        connection.leave();
                    }
                    endIfDone();
                });
    }

    @Override
    public void idle(ClientConnection connection) {
        Call call = waiting.poll();
        if (call != null) {
            connection.send(call);
        } else {
            idle.push(connection);
        }
        endIfDone();
    }

    @Override
    public void gone(ClientConnection connection, @Nullable Call unanswered) {
        open.remove(connection);
        idle.remove(connection);
        if (unanswered != null) {
            waiting.addFirst(unanswered);
        }
        connectForWaiting();
        endIfDone();
    }

    private void begin() {
        startNanos = System.nanoTime();
        var _ =
                loop.scheduleAtFixedRate(
                        () -> listener.progress(tally.progress(plan.size())),
                        REPORT_MILLIS,
                        REPORT_MILLIS,
                        TimeUnit.MILLISECONDS);
        makeDueCalls();
    }

    private void makeDueCalls() {
        while (next < plan.size() && !stopped) {
            long wait = startNanos + plan.get(next).offsetNanos - System.nanoTime();
            if (wait > 0) {
                var _ = loop.schedule(this::makeDueCalls, wait, TimeUnit.NANOSECONDS);
                return;
            }
            make(plan.get(next), next);
            next++;
        }
        endIfDone();
    }

    private void make(Due due, int number) {
        TraceCall traced = due.call;
        boolean leaves = config.abortShare() > 0 && random.nextDouble() < config.abortShare();
        int leaveAfter = leaves ? 1 + random.nextInt(Math.max(1, traced.outputTokens() / 2)) : 0;
        var call = new Call(tally, body(traced, number), startNanos + due.offsetNanos, leaveAfter);
        tally.begun();
        call.timeout(
                loop.schedule(
                        () -> timeOut(call), config.timeout().toNanos(), TimeUnit.NANOSECONDS));
        ClientConnection connection = idle.poll();
        while (connection != null && connection.idleNanos() > IDLE_NANOS) {
            connection.drop();
            connection = idle.poll();
        }
        if (connection != null) {
            connection.send(call);
            return;
        }
        waiting.add(call);
        connectForWaiting();
    }

    private void timeOut(Call call) {
        call.failed("timeout", "no end within " + config.timeout());
        waiting.remove(call);
        for (ClientConnection connection : open) {
            if (connection.carries(call)) {
                connection.drop();
                return;
            }
        }
        endIfDone();
    }

    /// Opens a connection for each waiting call that none is being opened for.
    private void connectForWaiting() {
        while (waiting.size() > connecting && open.size() + connecting < config.maxConnections()) {
            connecting++;
            bootstrap.connect().addListener(f -> connected((ChannelFuture) f));
        }
    }

    private void connected(ChannelFuture attempt) {
        connecting--;
        if (!attempt.isSuccess()) {
            Call call = waiting.poll();
            if (call != null) {
                call.failed("connect", String.valueOf(attempt.cause().getMessage()));
            }
            connectForWaiting();
            endIfDone();
            return;
        }
        var connection = attempt.channel().pipeline().get(ClientConnection.class);
        open.add(connection);
        idle(connection);
    }

    private void endIfDone() {
        boolean begunAll = stopped || next == plan.size();
        if (!begunAll || tally.inFlight() > 0 || summary.isDone()) {
            return;
        }
        listener.progress(tally.progress(plan.size()));
        summary.complete(tally.summary(System.nanoTime() - startNanos));
        var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    private List<Due> plan(List<TraceCall> calls) {
        var out = new ArrayList<Due>();
        for (TraceCall call : calls.subList(0, Math.min(config.limit(), calls.size()))) {
            double late = config.jitter().toNanos() * random.nextDouble();
            double offset = (call.arrival().toNanos() + late) / config.speed();
            out.add(new Due(call, Math.round(offset)));
        }
        out.sort(Comparator.comparingLong(Due::offsetNanos));
        return out;
    }

    private byte[] body(TraceCall call, int number) {
        String text =
                "{\"model\":\""
                        + new String(JsonStringEncoder.getInstance().quoteAsString(model))
                        + "\",\"messages\":[{\"role\":\"user\",\"content\":\""
                        + prose.prompt(call, number)
                        + "\"}],\"max_tokens\":"
                        + call.outputTokens()
                        + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}";
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Bootstrap bootstrap() throws IOException {
        boolean secure = "https".equals(config.target().getScheme());
        SslContext tls = secure ? SslContextBuilder.forClient().build() : null;
        String host = config.target().getHost();
        int named = config.target().getPort();
        int port = named > 0 ? named : secure ? 443 : 80;
        String base = String.valueOf(config.target().getPath()).replaceAll("/+$", "");
        String path = (base.endsWith("/v1") ? base : base + "/v1") + "/chat/completions";
        HttpHeaders headers = headers(host + ":" + port);
        return new Bootstrap()
                .group(group)
                .channel(Transport.clientChannel())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 10_000)
                .remoteAddress(host, port)
                .handler(
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                if (tls != null) {
                                    channel.pipeline()
                                            .addLast(tls.newHandler(channel.alloc(), host, port));
                                }
                                channel.pipeline()
                                        .addLast(
                                                new HttpClientCodec(),
                                                new ClientConnection(
                                                        Replay.this,
                                                        path,
                                                        headers,
                                                        config.target().toString()));
                            }
                        });
    }

    private HttpHeaders headers(String authority) {
        var out = new DefaultHttpHeaders();
        out.set(HttpHeaderNames.HOST, authority);
        out.set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        out.set(HttpHeaderNames.ACCEPT, "text/event-stream");
        if (config.apiKey() != null) {
            out.set(HttpHeaderNames.AUTHORIZATION, "Bearer " + config.apiKey());
        }
        return out;
    }
}
