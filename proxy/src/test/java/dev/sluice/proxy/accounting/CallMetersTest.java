package dev.sluice.proxy.accounting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.sluice.proxy.pool.AttemptResult;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.response.Outcome;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.List;

class CallMetersTest {
    private final CallMeters meters = new CallMeters((pool, model) -> model.equals("llama-3.1"));
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    private String scrape() {
        registry.getPrometheusRegistry().register(new CallCollector(meters, List::of));
        return registry.scrape();
    }

    @Test
    void countsACallOnceInEachOfItsMeters() {
        meters.ended(Calls.ok("a", "llama-3.1"));
        String labels =
                "{gen_ai_operation_name=\"chat\",gen_ai_request_model=\"llama-3.1\",pool=\"llama\"";
        assertThat(scrape())
                .contains("sluice_requests_total{code_class=\"2xx\",pool=\"llama\"} 1.0\n")
                .contains("sluice_attempts_total{outcome=\"ok\"} 1.0\n")
                .contains("sluice_picks_total{policy=\"least_loaded\",reason=\"load\"} 1.0\n")
                .contains("gen_ai_server_time_to_first_token_seconds_sum" + labels + "} 0.1\n")
                .contains(
                        "gen_ai_server_time_to_first_token_seconds_bucket"
                                + labels
                                + ",le=\"0.08\"} 0\n")
                .contains(
                        "gen_ai_server_time_to_first_token_seconds_bucket"
                                + labels
                                + ",le=\"0.1\"} 1\n")
                .contains("gen_ai_server_time_per_output_token_seconds_sum" + labels + "} 0.03\n")
                .contains("sluice_overhead_seconds_sum{pool=\"llama\"} 1.5E-4\n")
                .contains("sluice_queue_wait_seconds_sum{pool=\"llama\"} 0.002\n")
                .contains("gen_ai_token_type=\"output\",pool=\"llama\"} 31.0\n")
                .contains("le=\"655.36\"");
    }

    @Test
    void countsAModelThatNobodyServesAsOther() {
        for (int i = 0; i < 1_000; i++) {
            meters.ended(Calls.ok("a", "made-up-" + i));
        }
        assertThat(scrape()).contains("gen_ai_request_model=\"other\"").doesNotContain("made-up");
    }

    @Test
    void boundsTheWordsOfReasons() {
        for (int i = 0; i < 1_000; i++) {
            var call = Calls.ok("a", "m");
            var attempt =
                    new CallRecord.Attempt(
                            "e", "p" + i + " w=1", AttemptResult.OK, 200, true, 0, 1, null);
            meters.ended(
                    new CallRecord(
                            call.request(),
                            call.method(),
                            call.path(),
                            call.pool(),
                            call.startMs(),
                            0,
                            null,
                            null,
                            call.outcome(),
                            200,
                            List.of(attempt),
                            0,
                            0,
                            0,
                            0,
                            0,
                            true,
                            0,
                            0,
                            0,
                            ""));
        }
        assertEquals(65, meters.picks.size());
    }

    @Test
    void tellsEndingsApart() {
        var queueFull = Refusal.capacity("queue_full", "m", Duration.ofSeconds(1));
        var reset = Refusal.upstream(502, "upstream_reset", "m");
        var unknown = Refusal.invalid(404, "model_not_found", "m", "model");
        end(new Outcome.Completed(200), 200);
        end(new Outcome.Completed(422), 422);
        end(new Outcome.Completed(500), 500);
        end(new Outcome.Completed(429), 429);
        end(new Outcome.Cancelled(Outcome.Phase.STREAMING), 200);
        end(new Outcome.Rejected(queueFull), 503);
        end(new Outcome.Rejected(unknown), 404);
        end(new Outcome.Failed(reset, AttemptResult.RESET), 502);
        end(new Outcome.Broken(AttemptResult.TRUNCATED), 200);
        PoolMeters pool = meters.pool("llama");
        assertEquals(2, pool.ended(Ending.COMPLETED));
        assertEquals(3, pool.ended(Ending.FAILED));
        assertEquals(2, pool.ended(Ending.SATURATED));
        assertEquals(1, pool.ended(Ending.CANCELLED));
        assertEquals(1, pool.ended(Ending.INVALID));
        assertThat(scrape())
                .contains("sluice_requests_total{code_class=\"broken\",pool=\"llama\"} 1.0\n")
                .contains("sluice_requests_total{code_class=\"5xx\",pool=\"llama\"} 3.0\n")
                .contains("sluice_requests_total{code_class=\"cancelled\",pool=\"llama\"} 1.0\n")
                .contains("sluice_refusals_total{code=\"queue_full\",pool=\"llama\"} 1.0\n")
                .contains("sluice_cancelled_total{phase=\"streaming\"} 1.0\n");
    }

    @Test
    void interpolatesQuantiles() {
        Buckets.Scale scale = Buckets.Scale.seconds(1, 2, 4);
        assertNull(Buckets.quantile(scale, new long[4], 0.5));
        assertEquals(1.5, Buckets.quantile(scale, new long[] {0, 10, 0, 0}, 0.5));
        assertEquals(4, Buckets.quantile(scale, new long[] {0, 0, 0, 3}, 0.5));
        assertEquals(3, Buckets.quantile(scale, new long[] {5, 0, 10, 0}, 2.0 / 3));
    }

    @Test
    void keepsTheNewestCallsAndFindsThemById() {
        var ring = new RequestRing(3);
        for (int i = 0; i < 5; i++) {
            ring.ended(Calls.ok("id-" + i, "m"));
        }
        assertNull(ring.find("id-1"));
        assertThat(ring.find("id-2")).isNotNull();
        assertThat(ring.newest(10, c -> true))
                .extracting(c -> c.request().id())
                .containsExactly("id-4", "id-3", "id-2");
    }

    @Test
    void learnsTokensPerByteFromWhatEnginesReport() {
        var estimates = new TokenEstimates();
        assertEquals(250, estimates.promptTokens(1_000));
        assertEquals(1, estimates.promptTokens(0));
        for (int i = 0; i < 200; i++) {
            estimates.ended(
                    Calls.of(
                            "a",
                            "m",
                            "p",
                            new Outcome.Completed(200),
                            200,
                            AttemptResult.OK)); // 500 tokens in 2,000 bytes
        }
        assertEquals(250, estimates.promptTokens(1_000));
    }

    private void end(Outcome outcome, int status) {
        meters.ended(Calls.of("a", "llama-3.1", "llama", outcome, status, AttemptResult.OK));
    }
}
