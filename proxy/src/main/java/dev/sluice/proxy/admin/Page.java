package dev.sluice.proxy.admin;

import dev.sluice.shared.AdminAnswer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;

/// The page at `/`: one file with its style and script inside. Its Content-Security-Policy allows
/// exactly these two, by their hashes, and nothing from anywhere else, so that a name that an
/// engine or a client chose can never run.
final class Page {
    private final AdminAnswer answer;

    /// Reads the file once.
    Page() {
        String html = read();
        String policy =
                "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none';"
                        + " form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
                        + hash(inside(html, "style"))
                        + "'; script-src 'sha256-"
                        + hash(inside(html, "script"))
                        + "'";
        this.answer =
                new AdminAnswer.Content(
                        200,
                        "text/html; charset=utf-8",
                        html,
                        Map.of(
                                "Content-Security-Policy",
                                policy,
                                "Referrer-Policy",
                                "no-referrer",
                                "X-Frame-Options",
                                "DENY"));
    }

    AdminAnswer answer() {
        return answer;
    }

    private static String read() {
        try (InputStream in = Page.class.getResourceAsStream("page.html")) {
            if (in == null) {
                throw new IllegalStateException("page.html is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String inside(String html, String tag) {
        int start = html.indexOf("<" + tag + ">") + tag.length() + 2;
        return html.substring(start, html.indexOf("</" + tag + ">", start));
    }

    private static String hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
