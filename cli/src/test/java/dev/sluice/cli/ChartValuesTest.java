package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;

/// A wrong value is refused when the chart is rendered, by a message that names it.
class ChartValuesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{replicas: 2} | replicas",
                "{image: {repo: x}} | image, repo",
                "{image: {digest: latest}} | image, digest",
                "{proxy: {replicas: 0}} | proxy, replicas",
                "{proxy: {replica: 3}} | proxy, replica",
                "{proxy: {config: {pools: []}}} | config, pools",
                "{proxy: {config: {listen: ':80'}}} | config, listen",
                "{proxy: {config: {timeouts: {total: 30}}}} | timeouts, total, as 500ms",
                "{proxy: {config: {timeouts: {totl: 30s}}}} | timeouts, totl",
                "{proxy: {config: {limits: {body: 32 megabytes}}}} | limits, body, 64KiB",
                "{image: {tag: 5}} | image, tag, --set-string",
                "{proxy: {config: {pools: [{name: a, policy: random}]}}} | pools, 0, policy,"
                        + " least_loaded",
                "{proxy: {config: {pools: [{name: a, polcy: latency}]}}} | pools, 0, polcy",
                "{proxy: {config: {pools: [{policy: latency}]}}} | pools, 0, name",
                "{proxy: {config: {pools: [{name: a, endpoints: [{url: 'a:80'}]}]}}} | endpoints,"
                        + " 0, url",
                "{proxy: {config: {pools: [{name: a, dns: {name: b}}]}}} | dns, port",
                "{proxy: {config: {pools: [{name: a, cap: many}]}}} | pools, 0, cap, engine",
                "{proxy: {config: {keys: [{name: a, sha256: secret}]}}} | keys, 0, sha256,"
                        + " sha256sum",
                "{proxy: {config: {memory: {shed: 85}}}} | memory, shed, 5%",
                "{proxy: {config: {tls: {certificate: /a}}}} | tls, certificate",
                "{proxy: {config: {tls: {min_version: 1.2}}}} | proxy.config.tls,"
                        + " proxy.tls.secretName",
                "{proxy: {config: {pools: [{name: a}, {name: a}]}}} | proxy.config.pools[1].name,"
                        + " pools[0]",
                "{proxy: {config: {pools: [{name: a, kubernetes: {service: b}, dns: {name: c,"
                        + " port: 80}}]}}} | proxy.config.pools[0].kubernetes, dns",
                "{proxy: {autoscaling: {enabled: true, minReplicas: 9, maxReplicas: 3}}} |"
                        + " proxy.autoscaling.minReplicas, maxReplicas 3",
                "{autoscaler: {scalers: [{name: a, pool: default, target: {name: b}, min: 20}]}} |"
                        + " autoscaler.scalers[0].min, max 10",
                "{autoscaler: {scalers: [{name: a, pool: default, target: {name: b}, min: 0}]}} |"
                        + " autoscaler.scalers[0].min, scaleToZero",
                "{autoscaler: {scalers: [{name: a, pool: default, target: {name: b}}, {name: c,"
                        + " pool: default, target: {name: d}}]}} | autoscaler.scalers[1].pool,"
                        + " scalers[0]",
                "{proxy: {service: {type: ExternalName}}} | service, type",
                "{proxy: {service: {port: 70000}}} | service, port",
                "{proxy: {terminationGracePeriodSeconds: 60}} |"
                        + " proxy.terminationGracePeriodSeconds, drain_timeout",
                "{proxy: {config: {drain_timeout: '${DRAIN}'}}} | proxy.config.drain_timeout",
                "{autoscaler: {config: {intervall: 2s}}} | config, intervall",
                "{autoscaler: {config: {kubernetes: {lease: a}}}} | kubernetes, lease",
                "{autoscaler: {scalers: [{name: a, pool: default}]}} | scalers, 0, target",
                "{autoscaler: {scalers: [{name: a, pool: default, target: {name: b}, maximum: 3}]}}"
                        + " | scalers, 0, maximum",
                "{autoscaler: {scalers: [{name: A_b, pool: default, target: {name: b}}]}} |"
                        + " scalers, 0, name",
                "{autoscaler: {scalers: [{name: a, pool: nope, target: {name: b}}]}} |"
                        + " autoscaler.scalers[0].pool, nope, default",
                "{networkPolicy: {clients: all}} | networkPolicy, clients",
                "{monitoring: {serviceMonitor: {interval: often}}} | serviceMonitor, interval",
                "{podSecurity: {}} | podSecurity",
            })
    void refusesAWrongValueByName(String values, String named) {
        refuses(Chart.SLUICE, values, named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{replicas: -1} | replicas",
                "{profile: a100} | profile, l4",
                "{coldStart: 10} | coldStart, 500ms",
                "{slots: 0} | slots",
                "{models: sim} | models",
            })
    void refusesAWrongValueOfASimulatedReplica(String values, String named) {
        refuses(Chart.SIMULATED_REPLICAS, values, named);
    }

    /// Large numbers must not come out as 2e+06, which no whole number is read from.
    @Test
    void rendersNumbersAsWritten() throws IOException {
        var rendered =
                Chart.SLUICE.renderWith(
                        """
                        proxy:
                          config:
                            keys:
                              - name: a
                                sha256: '0000000000000000000000000000000000000000000000000000000000000000'
                                tokens_per_minute: 2000000
                        """);
        assertThat(rendered.one("ConfigMap", "sluice-proxy").at("/data/proxy.yaml").asText())
                .contains("tokens_per_minute: 2000000\n");
    }

    private static void refuses(Chart chart, String values, String named) {
        Throwable refused = catchThrowable(() -> chart.renderWith(values));
        assertThat(refused).as(values).isNotNull();
        for (String part : named.split(", ")) {
            assertThat(refused).hasMessageContaining(part);
        }
    }
}
