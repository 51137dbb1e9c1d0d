package dev.sluice.shared;

import org.jspecify.annotations.Nullable;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/// One thing that an admin server answers.
///
/// @param pattern a path; a segment may be `{name}`, or `{name}:verb`
/// @param needs what its caller has to be allowed
public record AdminRoute(String method, String pattern, Access needs, Action action) {

    /// What a caller may do; each includes those before it.
    public enum Access {
        /// Probes and metrics, for whoever asks.
        NONE,
        /// Look at everything.
        READ,
        /// Change it too.
        WRITE
    }

    /// Answers on a virtual thread; may block.
    @FunctionalInterface
    public interface Action {
        AdminAnswer answer(AdminRequest request);
    }

    public static AdminRoute get(String pattern, Action action) {
        return new AdminRoute("GET", pattern, Access.READ, action);
    }

    /// A POST that changes nothing: a question with a body.
    public static AdminRoute ask(String pattern, Action action) {
        return new AdminRoute("POST", pattern, Access.READ, action);
    }

    public static AdminRoute post(String pattern, Action action) {
        return new AdminRoute("POST", pattern, Access.WRITE, action);
    }

    public static AdminRoute delete(String pattern, Action action) {
        return new AdminRoute("DELETE", pattern, Access.WRITE, action);
    }

    /// A GET that needs no token.
    public static AdminRoute open(String pattern, Action action) {
        return new AdminRoute("GET", pattern, Access.NONE, action);
    }

    /// The path's variables, or null when the pattern does not fit.
    @Nullable Map<String, String> match(String rawPath) {
        String[] want = pattern.split("/", -1);
        String[] have = rawPath.split("/", -1);
        if (want.length != have.length) {
            return null;
        }
        var variables = new HashMap<String, String>();
        for (int i = 0; i < want.length; i++) {
            String segment = URLDecoder.decode(have[i].replace("+", "%2B"), StandardCharsets.UTF_8);
            int end = want[i].indexOf('}');
            if (end < 0) {
                if (!want[i].equals(segment)) {
                    return null;
                }
                continue;
            }
            String suffix = want[i].substring(end + 1);
            if (!segment.endsWith(suffix) || segment.length() == suffix.length()) {
                return null;
            }
            variables.put(
                    want[i].substring(1, end),
                    segment.substring(0, segment.length() - suffix.length()));
        }
        return variables;
    }

    /// How vague the pattern is: where two fit, the lower goes first.
    int vagueness() {
        return (int) pattern.chars().filter(c -> c == '{').count() * 2
                - (pattern.contains("}:") ? 1 : 0);
    }
}
