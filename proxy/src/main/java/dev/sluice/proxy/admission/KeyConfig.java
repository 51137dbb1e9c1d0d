package dev.sluice.proxy.admission;

import dev.sluice.shared.ConfigNode;

import java.util.HexFormat;
import java.util.List;

/// One caller's key and limits; an entry of `keys`.
///
/// @param name the tenant, in records and meters
/// @param sha256 of the key, in hexadecimal: `printf %s "$KEY" | sha256sum`. The key itself is
///   written nowhere
/// @param requestsPerMinute 0: no limit
/// @param tokensPerMinute prompt and output tokens together; 0: no limit
/// @param priority `sheddable` calls are refused first when memory gets short; it is not an order
///   in the queue
public record KeyConfig(
        String name, String sha256, int requestsPerMinute, int tokensPerMinute, Priority priority) {

    /// Who goes first when calls have to wait.
    public enum Priority {
        CRITICAL,
        STANDARD,
        SHEDDABLE
    }

    public static KeyConfig from(ConfigNode node) {
        String name = node.required("name", "write name: team-a");
        String digest =
                node.required("sha256", "write the key's digest: printf %s \"$KEY\" | sha256sum");
        if (!digest.isEmpty() && !isDigest(digest)) {
            node.problem(
                    "sha256", "is not 64 hexadecimal digits", "printf %s \"$KEY\" | sha256sum");
        }
        return new KeyConfig(
                name,
                digest.toLowerCase(java.util.Locale.ROOT),
                node.integer("requests_per_minute", 0, 0, Integer.MAX_VALUE),
                node.integer("tokens_per_minute", 0, 0, Integer.MAX_VALUE),
                node.choice("priority", Priority.class, Priority.STANDARD));
    }

    /// Reads the list `keys` of the configuration.
    public static List<KeyConfig> list(ConfigNode top) {
        List<KeyConfig> keys = top.objects("keys", KeyConfig::from);
        for (int i = 0; i < keys.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (keys.get(i).name().equals(keys.get(j).name())) {
                    top.problem(
                            "keys[" + i + "].name",
                            "\"" + keys.get(i).name() + "\" is already keys[" + j + "]",
                            "give each key its own name");
                }
                if (!keys.get(i).sha256().isEmpty()
                        && keys.get(i).sha256().equals(keys.get(j).sha256())) {
                    top.problem(
                            "keys[" + i + "].sha256",
                            "is the same key as keys[" + j + "]",
                            "one entry for each key");
                }
            }
        }
        return List.copyOf(keys);
    }

    private static boolean isDigest(String text) {
        try {
            return HexFormat.of().parseHex(text).length == 32;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
