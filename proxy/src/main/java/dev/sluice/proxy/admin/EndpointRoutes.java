package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.PoolView;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.PoolControl;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminRequest;
import dev.sluice.shared.AdminRoute;

import org.jspecify.annotations.Nullable;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Shows endpoints, adds and removes them, drains and undrains them.
///
/// @param views all endpoints of all pools, now
record EndpointRoutes(
        Supplier<List<PoolView>> pools, PoolControl control, Supplier<List<EndpointView>> views) {

    /// The body of a registration.
    record Registration(@Nullable String pool, @Nullable String url, @Nullable Integer weight) {}

    List<AdminRoute> routes() {
        return List.of(
                AdminRoute.get(
                        "/admin/v1/endpoints",
                        _ -> AdminAnswer.ok(Map.of("endpoints", views.get()))),
                AdminRoute.post("/admin/v1/endpoints", this::register),
                AdminRoute.delete(
                        "/admin/v1/endpoints/{id}",
                        r ->
                                change(
                                        r,
                                        control::remove,
                                        "removed: what runs there finishes, nothing new goes"
                                                + " there")),
                AdminRoute.post(
                        "/admin/v1/endpoints/{id}:drain",
                        r ->
                                change(
                                        r,
                                        control::drain,
                                        "draining: what runs there finishes, nothing new goes there"
                                                + " until it is undrained")),
                AdminRoute.post(
                        "/admin/v1/endpoints/{id}:undrain",
                        r ->
                                change(
                                        r,
                                        control::undrain,
                                        "no longer draining: takes calls as its health allows")));
    }

    private AdminAnswer register(AdminRequest request) {
        Registration wanted = request.strict(Registration.class);
        List<PoolView> all = pools.get();
        String pool = wanted.pool();
        if (pool == null && all.size() == 1) {
            pool = all.getFirst().pool().name();
        }
        String names = all.stream().map(p -> p.pool().name()).collect(Collectors.joining(", "));
        String named = pool;
        if (named == null) {
            return AdminAnswer.badRequest("pool", "is missing", "pools: " + names);
        }
        if (all.stream().noneMatch(p -> p.pool().name().equals(named))) {
            return AdminAnswer.notFound(
                    "pool", "no pool is named \"" + named + "\"", "pools: " + names);
        }
        if (wanted.url() == null) {
            return AdminAnswer.badRequest("url", "is missing", "write http://10.0.0.1:8000");
        }
        int weight = wanted.weight() == null ? 1 : wanted.weight();
        if (weight < 1 || weight > EndpointConfig.MAX_WEIGHT) {
            return AdminAnswer.badRequest(
                    "weight",
                    weight + " is out of range",
                    "write 1 to " + EndpointConfig.MAX_WEIGHT);
        }
        EndpointUrl url;
        try {
            url = EndpointUrl.parse(wanted.url());
        } catch (IllegalArgumentException e) {
            return AdminAnswer.badRequest(
                    "url", String.valueOf(e.getMessage()), "write http://10.0.0.1:8000");
        }
        if (linkLocal(url.host())) {
            return AdminAnswer.badRequest(
                    "url",
                    url.host() + " is a link-local address, where clouds keep their credentials",
                    "use the endpoint's own address");
        }
        boolean added = control.add(named, new EndpointConfig(url, weight));
        return new AdminAnswer.Json(added ? 201 : 200, Map.of("endpoint", shown(url.id())));
    }

    private AdminAnswer change(AdminRequest request, Predicate<String> change, String message) {
        String id = request.path("id");
        List<EndpointView> before = shown(id);
        if (before.isEmpty() || !change.test(id)) {
            String known =
                    views.get().stream()
                            .map(v -> v.load().id())
                            .distinct()
                            .limit(20)
                            .collect(Collectors.joining(", "));
            return AdminAnswer.notFound(
                    "id",
                    "no endpoint is " + id,
                    known.isEmpty() ? "no pool has an endpoint" : "endpoints: " + known);
        }
        List<EndpointView> after = shown(id);
        return AdminAnswer.ok(
                Map.of(
                        "id",
                        id,
                        "message",
                        message,
                        "in_flight",
                        (after.isEmpty() ? before : after)
                                .stream().mapToInt(v -> v.load().inFlight()).sum(),
                        "endpoint",
                        after));
    }

    private List<EndpointView> shown(String id) {
        return views.get().stream().filter(v -> v.load().id().equals(id)).toList();
    }

    private static boolean linkLocal(String host) {
        try {
            return InetAddress.ofLiteral(host).isLinkLocalAddress();
        } catch (IllegalArgumentException e) {
            return false; // a name
        }
    }
}
