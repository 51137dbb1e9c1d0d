package dev.sluice.autoscaler.kubernetes;

import dev.sluice.autoscaler.FakeProxy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;

import org.awaitility.Awaitility;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;

/// A namespace of its own on a real API server, with the definition, the shipped Role, and one fake
/// proxy behind a Service. The autoscaler logs in as the Role's account and can do nothing else.
final class Namespace implements AutoCloseable {
    static final String KUBECONFIG = "SLUICE_TEST_KUBECONFIG";

    final KubernetesClient admin;
    final String name = "t" + UUID.randomUUID().toString().substring(0, 8);
    final FakeProxy proxy;
    final Path kubeconfig;
    private FakeProxy second;
    private final Path folder;

    Namespace(Path folder) throws Exception {
        this.folder = folder;
        Path given = Path.of(System.getenv(KUBECONFIG));
        admin =
                new KubernetesClientBuilder()
                        .withConfig(Config.fromKubeconfig(given.toFile()))
                        .build();
        InetAddress address = address(0);
        if (address == null) {
            throw new IOException("this machine has only the loopback address");
        }
        proxy = new FakeProxy(address);
        admin.resource(
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .build())
                .create();
        if (admin.apiextensions()
                        .v1()
                        .customResourceDefinitions()
                        .withName("inferencescalers.sluice.dev")
                        .get()
                == null) {
            admin.load(Files.newInputStream(ResourceDefinitionTest.SHIPPED)).create();
        }
        admin.resources(CustomResourceDefinition.class)
                .withName("inferencescalers.sluice.dev")
                .waitUntilCondition(
                        d ->
                                d != null
                                        && d.getStatus() != null
                                        && d.getStatus().getConditions().stream()
                                                .anyMatch(
                                                        c ->
                                                                c.getType().equals("Established")
                                                                        && c.getStatus()
                                                                                .equals("True")),
                        20,
                        java.util.concurrent.TimeUnit.SECONDS);
        admin.load(Files.newInputStream(Path.of("../docs/kubernetes/autoscaler-rbac.yaml")))
                .inNamespace(name)
                .create();
        apply(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: sluice}
                spec: {clusterIP: None, ports: [{name: admin, port: %1$d}]}
                ---
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: sluice-1, labels: {kubernetes.io/service-name: sluice}}
                addressType: IPv4
                ports: [{name: admin, port: %1$d}]
                endpoints: [{addresses: ['%2$s'], conditions: {ready: true}}]
                """
                        .formatted(proxy.url().getPort(), proxy.url().getHost()));
        kubeconfig = kubeconfig(given);
    }

    void apply(String yaml) {
        admin.load(
                        new java.io.ByteArrayInputStream(
                                yaml.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .inNamespace(name)
                .create();
    }

    /// Serves a model, as far as kwok makes it ready.
    void deployment(String target, int replicas) {
        deployment(target, replicas, "requests: {cpu: \"1\"}");
    }

    void deployment(String target, int replicas, String resources) {
        apply(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: %1$s}
                spec:
                  replicas: %2$d
                  selector: {matchLabels: {app: %1$s}}
                  template:
                    metadata: {labels: {app: %1$s}}
                    spec:
                      containers:
                        - {name: vllm, image: vllm, resources: {%3$s}}
                """
                        .formatted(target, replicas, resources));
    }

    /// A scaler of the Deployment `vllm`, quick enough for a test.
    String scaler(String resource, int min, int max, String more) {
        return """
        apiVersion: sluice.dev/v1alpha1
        kind: InferenceScaler
        metadata: {name: %s}
        spec:
          target: {kind: Deployment, name: vllm}
          proxies: {service: sluice, port: %d}
          pool: llama
          min: %d
          max: %d
          load: {slotsPerReplica: 4, spare: 0, mean: 4s}
          forecast: {mode: off}
          scaleDown: {window: 1s, drain: 120s}
        %s\
        """
                .formatted(resource, proxy.url().getPort(), min, max, more);
    }

    /// The autoscaler's file.
    Path file(String more) throws IOException {
        return Files.writeString(
                folder.resolve("autoscaler-" + UUID.randomUUID() + ".yaml"),
                """
                interval: 500ms
                state: %s
                kubernetes: {namespace: %s, lease_duration: 6s}
                %s
                """
                        .formatted(folder, name, more));
    }

    /// Another proxy behind the Service, at the same port of another address; null where the
    /// machine has no other that an EndpointSlice may hold.
    FakeProxy secondProxy() throws IOException {
        InetAddress address = address(1);
        if (address == null) {
            return null;
        }
        second = new FakeProxy(address, proxy.url().getPort());
        proxiesAt(proxy.url().getHost(), second.url().getHost());
        return second;
    }

    /// Where the Service's proxies are from now on.
    void proxiesAt(String... hosts) {
        admin.discovery()
                .v1()
                .endpointSlices()
                .inNamespace(name)
                .withName("sluice-1")
                .edit(
                        s -> {
                            Endpoint one = s.getEndpoints().getFirst();
                            s.setEndpoints(
                                    Arrays.stream(hosts)
                                            .map(h -> one.edit().withAddresses(h).build())
                                            .toList());
                            return s;
                        });
    }

    /// The proxies see the ready pods as endpoints, as their own discovery would.
    List<Pod> follow() {
        List<Pod> pods = pods();
        List<String> ids =
                pods.stream()
                        .filter(p -> p.getStatus().getPodIP() != null)
                        .map(p -> p.getStatus().getPodIP() + ":8000")
                        .toList();
        for (FakeProxy each : second == null ? List.of(proxy) : List.of(proxy, second)) {
            ids.forEach(id -> each.endpoints.putIfAbsent(id, "healthy"));
            each.endpoints.keySet().retainAll(ids);
        }
        return pods;
    }

    /// Waits until so many pods have an address, and the proxy sees them.
    void awaitEndpoints(int count) {
        await(
                () ->
                        follow().stream().filter(p -> p.getStatus().getPodIP() != null).count()
                                == count);
    }

    List<Pod> pods() {
        return admin.pods().inNamespace(name).withLabel("app", "vllm").list().getItems();
    }

    int replicas() {
        return admin.apps()
                .deployments()
                .inNamespace(name)
                .withName("vllm")
                .get()
                .getSpec()
                .getReplicas();
    }

    Resource<InferenceScaler> resource(String resource) {
        return admin.resources(InferenceScaler.class).inNamespace(name).withName(resource);
    }

    /// The message of a condition that holds; null otherwise.
    String condition(String resource, String type) {
        InferenceScaler found = resource(resource).get();
        return found == null ? null : StatusText.holding(found.getStatus()).get(type);
    }

    List<GenericKubernetesResource> generic(String apiVersion, String kind) {
        return admin.genericKubernetesResources(apiVersion, kind)
                .inNamespace(name)
                .list()
                .getItems();
    }

    @Override
    public void close() {
        admin.namespaces().withName(name).delete();
        admin.close();
        proxy.close();
        if (second != null) {
            second.close();
        }
    }

    /// The file to log in with, through another port of this machine.
    Path kubeconfig(int port) throws IOException {
        String text = Files.readString(kubeconfig);
        return Files.writeString(
                folder.resolve("kubeconfig-" + name + "-" + port),
                text.replaceAll("https://127\\.0\\.0\\.1:\\d+", "https://127.0.0.1:" + port));
    }

    static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(40))
                .pollInterval(Duration.ofMillis(50))
                .ignoreException(KubernetesClientException.class)
                .until(condition);
    }

    static void hold(Duration time, Callable<Boolean> condition) {
        Awaitility.await()
                .during(time)
                .atMost(time.plusSeconds(10))
                .pollInterval(Duration.ofMillis(100))
                .until(condition);
    }

    static long elapsedMs(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    static void report(String what, long start) {
        System.out.println("FIGURE " + what + ": " + elapsedMs(start) + " ms");
    }

    private Path kubeconfig(Path given) throws IOException {
        TokenRequest token =
                admin.serviceAccounts()
                        .inNamespace(name)
                        .withName("sluice-autoscaler")
                        .tokenRequest();
        String text = Files.readString(given);
        int users = text.indexOf("users:");
        int end = text.indexOf('\n', users);
        String user = text.replaceAll("(?s).*users: \\[\\{name: (\\w+),.*", "$1");
        return Files.writeString(
                folder.resolve("kubeconfig-" + name),
                text.substring(0, users)
                        + "users: [{name: "
                        + user
                        + ", user: {token: \""
                        + token.getStatus().getToken()
                        + "\"}}]"
                        + text.substring(end));
    }

    /// The n-th address that an EndpointSlice may hold: not the loopback one.
    private static InetAddress address(int n) throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(a -> a instanceof Inet4Address && !a.isLoopbackAddress())
                .skip(n)
                .findFirst()
                .orElse(null);
    }
}
