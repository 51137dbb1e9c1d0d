package dev.sluice.proxy.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.proxy.pool.Offer;

import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;

/// What EndpointSlices say, condition by condition.
class SlicesTest {
    private static final String NOT_READY = "not ready in Kubernetes";
    private static final String TERMINATING = "terminating in Kubernetes";

    @Test
    void takesReadinessAndTerminationAsTheApiMeansThem() {
        assertThat(offers("http", pod("1", null, null, null))).containsExactly("10.0.0.1:8000");
        assertThat(offers("http", pod("1", true, true, false))).containsExactly("10.0.0.1:8000");
        assertThat(offers("http", pod("1", false, false, false)))
                .containsExactly("10.0.0.1:8000 " + NOT_READY);
        assertThat(offers("http", pod("1", false, true, true)))
                .containsExactly("10.0.0.1:8000 " + TERMINATING);
        assertThat(offers("http", pod("1", false, false, true))).isEmpty();
    }

    @Test
    void findsThePortByNameOrNumberOrTakesTheFirst() {
        Endpoint pod = pod("1", true, true, false);
        assertThat(offers("http", pod)).containsExactly("10.0.0.1:8000");
        assertThat(offers("", pod)).containsExactly("10.0.0.1:8000");
        assertThat(offers("9000", pod)).containsExactly("10.0.0.1:9000");
        assertThat(offers("metrics", pod)).containsExactly("10.0.0.1:9090");
        assertThat(offers("grpc", pod)).isEmpty();
    }

    @Test
    void countsAPodOfTwoFamiliesOnce() {
        EndpointSlice six = slice("a", "IPv6", at("fd00::1", "1", true));
        EndpointSlice four = slice("b", "IPv4", at("10.0.0.1", "1", true));
        assertThat(text(Slices.offers(List.of(six, four), "http")))
                .containsExactly("10.0.0.1:8000");
        assertThat(text(Slices.offers(List.of(six), "http")))
                .containsExactly("[fd00:0:0:0:0:0:0:1]:8000");
    }

    @Test
    void takesTheReadierOfTwoEntriesWhileAPodMovesBetweenSlices() {
        EndpointSlice from = slice("a", "IPv4", at("10.0.0.1", "1", false));
        EndpointSlice to = slice("b", "IPv4", at("10.0.0.1", "1", true));
        assertThat(text(Slices.offers(List.of(from, to), "http"))).containsExactly("10.0.0.1:8000");
        assertThat(text(Slices.offers(List.of(to, from), "http"))).containsExactly("10.0.0.1:8000");
    }

    @Test
    void passesOverNamesAndLinkLocalAddresses() {
        EndpointSlice names = slice("a", "FQDN", at("replica.example", "1", true));
        EndpointSlice local = slice("b", "IPv4", at("169.254.169.254", "2", true));
        assertThat(Slices.offers(List.of(names, local), "http")).isEmpty();
    }

    private static List<String> offers(String port, Endpoint... endpoints) {
        return text(Slices.offers(List.of(slice("s", "IPv4", endpoints)), port));
    }

    private static List<String> text(List<Offer> offers) {
        return offers.stream()
                .map(
                        o ->
                                o.endpoint().url().id()
                                        + (o.withheld() == null ? "" : " " + o.withheld()))
                .toList();
    }

    private static EndpointSlice slice(String name, String type, Endpoint... endpoints) {
        return new EndpointSliceBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withAddressType(type)
                .withEndpoints(Arrays.asList(endpoints))
                .addNewPort()
                .withName("http")
                .withPort(8000)
                .endPort()
                .addNewPort()
                .withName("metrics")
                .withPort(9090)
                .endPort()
                .build();
    }

    private static Endpoint pod(String uid, Boolean ready, Boolean serving, Boolean terminating) {
        return new EndpointBuilder()
                .withAddresses("10.0.0.1")
                .withTargetRef(new ObjectReferenceBuilder().withUid(uid).build())
                .withNewConditions(ready, serving, terminating)
                .build();
    }

    private static Endpoint at(String address, String uid, boolean ready) {
        return new EndpointBuilder(pod(uid, ready, ready, false)).withAddresses(address).build();
    }
}
