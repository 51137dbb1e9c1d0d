package dev.sluice.proxy.admin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.accounting.Pulse.Beat;
import dev.sluice.proxy.admin.Live.Lately;
import dev.sluice.proxy.admin.Live.Picture;
import dev.sluice.proxy.admin.Live.PoolPicture;
import dev.sluice.proxy.admin.Live.ReloadPicture;
import dev.sluice.shared.LoadReport.EndpointLoad;
import dev.sluice.shared.ScalingStatus;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

class FindingTest {
    private static final long NOW = 100_000;
    private static final Strain CALM = new Strain(0.1, 0.2, 0.1, "none", 0, 1.0);
    private static final Lately GOOD = new Lately(10, 100, 0, 0);

    private static EndpointView endpoint(String id, String state) {
        String use = state.equals("unhealthy") ? "none" : "full";
        var load =
                new EndpointLoad(
                        id,
                        "http://" + id,
                        state,
                        "probe: 500",
                        0,
                        1,
                        8,
                        null,
                        null,
                        null,
                        null,
                        0,
                        0,
                        null);
        return new EndpointView("p", load, use, 1, 1, null, null, null, null, 0);
    }

    private static PoolPicture pool(Lately lately, int queued, long oldest, EndpointView... all) {
        var beat = new Beat(NOW, 10, 0, 0, 0, 1, queued, 1, null, null);
        return new PoolPicture(
                "p", "least_loaded", List.of(), 8, 0, oldest, null, beat, lately, List.of(all));
    }

    private static List<String> told(
            PoolPicture pool, Strain strain, ReloadPicture reload, ScalingStatus... scaling) {
        var picture =
                new Picture(
                        NOW,
                        1,
                        "v",
                        true,
                        "r",
                        List.of(pool),
                        List.of(scaling),
                        strain,
                        reload,
                        List.of(),
                        List.of());
        return Finding.of(picture).stream().map(f -> f.level() + " " + f.what()).toList();
    }

    private static List<String> told(PoolPicture pool) {
        return told(pool, CALM, null);
    }

    private static ScalingStatus scaler(long timeMs, ScalingStatus.Condition... conditions) {
        return new ScalingStatus(
                "t",
                "p",
                timeMs,
                false,
                1,
                2,
                1,
                1,
                1,
                0,
                0,
                "load",
                "m",
                Map.of(),
                List.of(conditions),
                List.of());
    }

    @Test
    void saysNothingWhileAllIsWell() {
        assertThat(told(pool(GOOD, 0, 0, endpoint("a", "healthy")))).isEmpty();
        assertThat(
                        told(
                                pool(GOOD, 0, 0, endpoint("a", "healthy")),
                                CALM,
                                new ReloadPicture("applied", 1, 0),
                                scaler(NOW - 5_000)))
                .isEmpty();
    }

    @Test
    void tellsEachTroubleWorstFirst() {
        assertThat(told(pool(GOOD, 0, 0, endpoint("a", "healthy"), endpoint("b", "degraded"))))
                .containsExactly("warn b is degraded");
        assertThat(told(pool(GOOD, 3, 0, endpoint("a", "unhealthy"))))
                .containsExactly("bad Pool p: no endpoint takes calls", "bad a is unhealthy");
        assertThat(told(pool(GOOD, 3, 2_500)))
                .containsExactly("warn Pool p: no endpoint", "warn Pool p: calls wait");
        EndpointView well = endpoint("a", "healthy");
        assertThat(told(pool(new Lately(10, 100, 1, 0), 0, 0, well)))
                .containsExactly("warn Pool p: calls fail");
        assertThat(told(pool(new Lately(10, 100, 5, 2), 0, 0, well)))
                .containsExactly("bad Pool p: calls fail", "bad Pool p: calls are refused");
        assertThat(
                        told(
                                pool(GOOD, 0, 0, well),
                                new Strain(null, 0.9, 0.1, "shed", 0, 80.0),
                                new ReloadPicture("rejected", 1, 2)))
                .containsExactly(
                        "bad The proxy is short of memory",
                        "warn An event loop is late",
                        "warn The configuration file was refused");
        assertThat(
                        told(
                                pool(GOOD, 0, 0, well),
                                CALM,
                                null,
                                scaler(
                                        NOW - 20_000,
                                        new ScalingStatus.Condition("Limited", "at max", 0))))
                .containsExactly("warn Autoscaler of p: Limited", "warn Autoscaler of p: silent");
    }

    @Test
    void tellsManySickEndpointsInOneLine() {
        EndpointView[] all =
                IntStream.range(0, 40)
                        .mapToObj(i -> endpoint("e" + i, "unhealthy"))
                        .toArray(EndpointView[]::new);
        assertThat(told(pool(GOOD, 0, 0, all))).contains("bad 40 endpoints of p are unhealthy");
    }
}
