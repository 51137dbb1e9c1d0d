package dev.sluice.proxy.response;

import dev.sluice.proxy.request.Api;

/// Whether an event carries content, or only opens the stream: engines first send the role, an
/// empty text or a comment, which must not count as the first token.
final class FirstContent {
    private FirstContent() {}

    static boolean in(String event, Api api) {
        if (!event.contains("data:") || event.endsWith("[DONE]")) {
            return false;
        }
        return switch (api) {
            case MESSAGES -> event.contains("content_block_delta");
            case RESPONSES -> event.contains(".delta\"");
            case CHAT, COMPLETIONS ->
                    hasText(event)
                            || begins(event, "\"tool_calls\"", '[', ']')
                            || event.contains("\"error\"");
            case EMBEDDINGS, RERANK, SCORE, TOKENIZE, AUDIO, IMAGES, OTHER -> true;
        };
    }

    private static boolean hasText(String event) {
        return nonEmpty(event, "\"content\"")
                || nonEmpty(event, "\"text\"")
                || nonEmpty(event, "\"reasoning_content\"")
                || nonEmpty(event, "\"reasoning\"");
    }

    private static boolean nonEmpty(String event, String key) {
        return begins(event, key, '"', '"');
    }

    /// Whether a value that is not empty stands behind this key, between these brackets or quotes.
    private static boolean begins(String event, String key, char open, char close) {
        for (int at = event.indexOf(key); at >= 0; at = event.indexOf(key, at + 1)) {
            int i = at + key.length();
            while (i < event.length() && (event.charAt(i) == ':' || event.charAt(i) == ' ')) {
                i++;
            }
            if (i + 1 < event.length() && event.charAt(i) == open && event.charAt(i + 1) != close) {
                return true;
            }
        }
        return false;
    }
}
