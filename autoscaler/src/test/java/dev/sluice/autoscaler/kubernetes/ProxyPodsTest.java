package dev.sluice.autoscaler.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.utils.Serialization;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Arrays;
import java.util.List;

class ProxyPodsTest {
    /// Slices by `;`, each an address type and endpoints.
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    every one counts              | IPv4 {addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: true}}          | http://10.0.0.1:9901 http://10.0.0.2:9901
                    one in two slices counts once | IPv4 {addresses: [10.0.0.1]}; IPv4 {addresses: [10.0.0.1]}                                | http://10.0.0.1:9901
                    one not ready has no load     | IPv4 {addresses: [10.0.0.1], conditions: {ready: false}}                                  |
                    one that ends relays still    | IPv4 {addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}} | http://10.0.0.1:9901
                    ... also when it fails probes | IPv4 {addresses: [10.0.0.1], conditions: {ready: false, serving: false, terminating: true}} | http://10.0.0.1:9901
                    one family of two             | IPv6 {addresses: ['fd00::1']}; IPv4 {addresses: [10.0.0.1]}                               | http://10.0.0.1:9901
                    IPv6 where there is no other  | IPv6 {addresses: ['fd00::1']}; IPv4                                                        | http://[fd00::1]:9901
                    no endpoint                   | IPv4                                                                                     |
                    """)
    void findsTheProxies(String name, String slices, String expected) {
        List<EndpointSlice> all =
                Arrays.stream(slices.split(";")).map(ProxyPodsTest::slice).toList();
        assertThat(ProxyPods.addresses(all, 9901))
                .extracting(Object::toString)
                .containsExactlyInAnyOrderElementsOf(
                        expected == null ? List.of() : Arrays.asList(expected.split(" ")));
    }

    private static EndpointSlice slice(String text) {
        String[] parts = text.strip().split(" ", 2);
        return Serialization.unmarshal(
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: "
                        + parts[0]
                        + "\nendpoints: ["
                        + (parts.length > 1 ? parts[1] : "")
                        + "]\n",
                EndpointSlice.class);
    }
}
