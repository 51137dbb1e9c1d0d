package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.CallRecord;
import dev.sluice.proxy.accounting.RequestRing;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminRequest;
import dev.sluice.shared.AdminRoute;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The last calls: the newest, those that a filter finds, and each one's story.
record CallRoutes(RequestRing ring) {

    List<AdminRoute> routes() {
        return List.of(
                AdminRoute.get("/admin/v1/requests", this::requests),
                AdminRoute.get("/admin/v1/requests/{id}", this::request));
    }

    private AdminAnswer requests(AdminRequest request) {
        int limit = request.number("limit", 100, 1, 10_000);
        String[] words =
                request.query()
                        .getOrDefault("q", "")
                        .toLowerCase(Locale.ROOT)
                        .strip()
                        .split("\\s+");
        return AdminAnswer.ok(
                Map.of(
                        "requests",
                        ring.newest(limit, call -> found(call, words)).stream()
                                .map(CallView::of)
                                .toList()));
    }

    /// Whether every word is part of something that names the call or says how it ended.
    private static boolean found(CallRecord call, String[] words) {
        if (words.length == 1 && words[0].isEmpty()) {
            return true;
        }
        CallView view = CallView.of(call);
        String text =
                String.join(
                                "\n",
                                view.id(),
                                view.model(),
                                view.path(),
                                view.pool(),
                                view.tenant(),
                                view.outcome(),
                                String.valueOf(view.status()),
                                view.code() == null ? "" : view.code(),
                                view.endpoint() == null ? "" : view.endpoint(),
                                view.reason())
                        .toLowerCase(Locale.ROOT);
        for (String word : words) {
            if (!text.contains(word)) {
                return false;
            }
        }
        return true;
    }

    private AdminAnswer request(AdminRequest request) {
        CallRecord call = ring.find(request.path("id"));
        return call == null
                ? AdminAnswer.notFound(
                        "id",
                        "no call of id \"" + request.path("id") + "\" is remembered",
                        "it may run still, or be older than the last 10,000; the newest are at"
                                + " /admin/v1/requests")
                : AdminAnswer.ok(CallView.explain(call));
    }
}
