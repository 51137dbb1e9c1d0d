package dev.sluice.simulator.replay;

import org.jspecify.annotations.Nullable;

import java.net.URI;
import java.time.Duration;

/// How to replay.
///
/// @param target base URL of an OpenAI-compatible server, with or without `/v1`
/// @param model model to ask for; null asks the server for its first one
/// @param speed how many times faster than the trace
/// @param limit the most calls to make, in the order of the trace
/// @param maxConnections connections open at once; a call beyond them waits here, and its wait
///   counts
/// @param abortShare share of streams, 0..1, that the client leaves in the middle
/// @param timeout time for one call from its intended start
/// @param apiKey bearer token, or null for none
/// @param jitter arrivals are delayed by up to this much of trace time: for traces with rounded
///   times
/// @param seed of prompts, jitter and who leaves
public record ReplayConfig(
        URI target,
        @Nullable String model,
        double speed,
        int limit,
        int maxConnections,
        double abortShare,
        Duration timeout,
        @Nullable String apiKey,
        Duration jitter,
        long seed) {

    public ReplayConfig {
        if (target.getHost() == null || target.getScheme() == null) {
            throw new IllegalArgumentException(
                    "--target " + target + " is no URL; write http://HOST:PORT");
        }
        if (!(speed > 0)) {
            throw new IllegalArgumentException("--speed " + speed + " must be above 0");
        }
        if (limit < 1) {
            throw new IllegalArgumentException("--limit " + limit + " must be at least 1");
        }
    }

    /// Everything at trace speed, against `target`.
    public static ReplayConfig of(URI target) {
        return new ReplayConfig(
                target,
                null,
                1,
                Integer.MAX_VALUE,
                8_000,
                0,
                Duration.ofMinutes(10),
                null,
                Duration.ZERO,
                1);
    }

    public ReplayConfig withModel(@Nullable String value) {
        return new ReplayConfig(
                target,
                value,
                speed,
                limit,
                maxConnections,
                abortShare,
                timeout,
                apiKey,
                jitter,
                seed);
    }

    public ReplayConfig withSpeed(double value) {
        return new ReplayConfig(
                target,
                model,
                value,
                limit,
                maxConnections,
                abortShare,
                timeout,
                apiKey,
                jitter,
                seed);
    }

    public ReplayConfig withLimit(int value) {
        return new ReplayConfig(
                target,
                model,
                speed,
                value,
                maxConnections,
                abortShare,
                timeout,
                apiKey,
                jitter,
                seed);
    }

    public ReplayConfig withMaxConnections(int value) {
        return new ReplayConfig(
                target, model, speed, limit, value, abortShare, timeout, apiKey, jitter, seed);
    }

    public ReplayConfig withAbortShare(double value) {
        return new ReplayConfig(
                target, model, speed, limit, maxConnections, value, timeout, apiKey, jitter, seed);
    }

    public ReplayConfig withTimeout(Duration value) {
        return new ReplayConfig(
                target,
                model,
                speed,
                limit,
                maxConnections,
                abortShare,
                value,
                apiKey,
                jitter,
                seed);
    }

    public ReplayConfig withApiKey(@Nullable String value) {
        return new ReplayConfig(
                target,
                model,
                speed,
                limit,
                maxConnections,
                abortShare,
                timeout,
                value,
                jitter,
                seed);
    }

    public ReplayConfig withJitter(Duration value) {
        return new ReplayConfig(
                target,
                model,
                speed,
                limit,
                maxConnections,
                abortShare,
                timeout,
                apiKey,
                value,
                seed);
    }

    public ReplayConfig withSeed(long value) {
        return new ReplayConfig(
                target,
                model,
                speed,
                limit,
                maxConnections,
                abortShare,
                timeout,
                apiKey,
                jitter,
                value);
    }
}
