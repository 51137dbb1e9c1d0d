package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.TokenEstimates;
import dev.sluice.proxy.request.Api;
import dev.sluice.proxy.request.InferenceRequest;
import dev.sluice.proxy.request.JsonScan;
import dev.sluice.proxy.request.Refusal;
import dev.sluice.proxy.routing.Route;
import dev.sluice.proxy.routing.Router;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminRequest;
import dev.sluice.shared.AdminRoute;

import io.netty.buffer.Unpooled;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/// `POST /admin/v1/explain`: the body is a request as a client would send it, the answer an {@link
/// Explanation}. `?path=` says where it would be sent.
record ExplainRoute(Supplier<Router> routers, TokenEstimates estimates) {

    AdminRoute route() {
        return AdminRoute.ask("/admin/v1/explain", this::explain);
    }

    private AdminAnswer explain(AdminRequest asked) {
        byte[] body = asked.body().getBytes(StandardCharsets.UTF_8);
        if (body.length == 0) {
            return AdminAnswer.badRequest(
                    null, "the request has no body", "send the JSON that a client would send");
        }
        var scan = new JsonScan();
        Refusal problem = scan.read(Unpooled.wrappedBuffer(body));
        problem = problem == null ? scan.finish() : problem;
        if (problem != null) {
            return AdminAnswer.badRequest(
                    problem.param(), problem.message(), "send the JSON that a client would send");
        }
        Router router = routers.get();
        String named = text(scan.model());
        InferenceRequest request =
                InferenceRequest.of(
                        "explain",
                        Api.of(asked.query().getOrDefault("path", Api.CHAT.path())),
                        router.resolve(named),
                        scan,
                        body.length,
                        "");
        int tokens = estimates.promptTokens(body.length);
        return AdminAnswer.ok(
                switch (router.route(request.model())) {
                    case Route.To(var dispatcher) ->
                            Explanation.placed(request, named, tokens, dispatcher);
                    case Route.Nowhere(Refusal refusal) ->
                            Explanation.refused(request, named, tokens, refusal);
                });
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }
}
