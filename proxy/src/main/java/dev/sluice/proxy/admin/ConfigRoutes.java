package dev.sluice.proxy.admin;

import dev.sluice.proxy.accounting.ReloadMeters.Result;
import dev.sluice.proxy.admin.Configuration.Last;
import dev.sluice.proxy.admin.Configuration.Reloaded;
import dev.sluice.shared.AdminAnswer;
import dev.sluice.shared.AdminRequest;
import dev.sluice.shared.AdminRoute;

import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Shows the configuration, checks another one, and reloads.
record ConfigRoutes(Configuration configuration) {

    List<AdminRoute> routes() {
        return List.of(
                AdminRoute.get(
                        "/admin/v1/config",
                        _ ->
                                AdminAnswer.ok(
                                        Map.of(
                                                "config",
                                                shown(configuration.effective()),
                                                "last_reload",
                                                shown(status())))),
                AdminRoute.post("/admin/v1/config:reload", this::reload),
                AdminRoute.ask("/admin/v1/config:check", this::check));
    }

    /// The last reload as the status page shows it; null before the first.
    @Nullable Object status() {
        Last last = configuration.last();
        if (last == null) {
            return null;
        }
        var out = new LinkedHashMap<String, Object>();
        out.put("by", last.by());
        out.put("time_ms", last.timeMs());
        out.putAll(told(last.reloaded()));
        return out;
    }

    private AdminAnswer reload(AdminRequest request) {
        boolean dry = "true".equals(request.query().get("dry_run"));
        if (!dry && !request.body().isBlank()) {
            return AdminAnswer.badRequest(
                    null,
                    "a reload reads the proxy's file; this body would be lost",
                    "change the file, or ask /admin/v1/config:check what the body would do");
        }
        return dry ? check(request) : answer(configuration.reload("admin port"));
    }

    private AdminAnswer check(AdminRequest request) {
        return answer(configuration.check(request.body().isBlank() ? null : request.body()));
    }

    private static AdminAnswer answer(Reloaded reloaded) {
        return new AdminAnswer.Json(
                reloaded.result() == Result.REJECTED ? 400 : 200, told(reloaded));
    }

    private static Map<String, Object> told(Reloaded reloaded) {
        var out = new LinkedHashMap<String, Object>();
        out.put("result", reloaded.result().label());
        out.put("changes", reloaded.changes());
        out.put("need_restart", reloaded.needRestart());
        out.put("problems", reloaded.problems());
        return out;
    }

    private static Object shown(@Nullable Object value) {
        Object view = value instanceof Map ? value : ConfigView.of(value);
        return view == null ? "none" : view;
    }
}
