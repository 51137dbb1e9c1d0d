package dev.sluice.cli;

import dev.sluice.shared.LoadReport.EndpointLoad;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/// What goes wrong in the demo: one replica is four times slower from 15 % to 30 % of the run, and
/// at 40 % the busiest of the others dies.
///
/// Called from one thread, about twice a second, with the endpoints as they are.
final class DemoMischief {
    private static final double SLOW_FROM = 0.15;
    private static final double SLOW_TO = 0.3;
    private static final double KILL_AT = 0.4;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final DemoLedger ledger;
    private final Consumer<String> news;
    private @Nullable EndpointLoad slow;
    private boolean fast;
    private boolean killed;

    /// @param news gets a sentence for each thing done
    DemoMischief(DemoLedger ledger, Consumer<String> news) {
        this.ledger = ledger;
        this.news = news;
    }

    /// @param progress of the run, 0 to 1
    void act(double progress, List<EndpointLoad> endpoints) throws InterruptedException {
        if (slow == null && progress >= SLOW_FROM) {
            slow = busiest(endpoints);
            if (slow != null && tell(slow, "{\"slow\": 4}")) {
                news.accept("we make " + slow.id() + " four times slower");
            }
        }
        if (slow != null && !fast && progress >= SLOW_TO) {
            fast = true;
            if (tell(slow, "{}")) {
                news.accept("we let " + slow.id() + " be fast again");
            }
        }
        if (!killed && progress >= KILL_AT) {
            EndpointLoad victim =
                    busiest(
                            endpoints.stream()
                                    .filter(e -> slow == null || !e.id().equals(slow.id()))
                                    .toList());
            if (victim != null) {
                killed = true;
                ledger.killing(victim.id());
                tell(victim, "{\"crash-after\": \"1ms\"}");
                news.accept("we kill " + victim.id() + " with " + victim.inFlight() + " calls");
            }
        }
    }

    private static @Nullable EndpointLoad busiest(List<EndpointLoad> endpoints) {
        return endpoints.stream()
                .filter(e -> e.state().equals("healthy") || e.state().equals("degraded"))
                .max(Comparator.comparingInt(EndpointLoad::inFlight))
                .orElse(null);
    }

    /// Whether the replica took the faults.
    private boolean tell(EndpointLoad replica, String faults) throws InterruptedException {
        var request =
                HttpRequest.newBuilder(URI.create(replica.url() + "/sim/faults"))
                        .timeout(Duration.ofSeconds(2))
                        .POST(BodyPublishers.ofString(faults))
                        .build();
        try {
            return http.send(request, BodyHandlers.discarding()).statusCode() / 100 == 2;
        } catch (IOException e) {
            return false; // it has gone meanwhile
        }
    }
}
