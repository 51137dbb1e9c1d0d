package dev.sluice.proxy.request;

/// Which of the engines' interfaces a call uses, by its path.
public enum Api {
    CHAT("/v1/chat/completions"),
    COMPLETIONS("/v1/completions"),
    EMBEDDINGS("/v1/embeddings"),
    RESPONSES("/v1/responses"),
    MESSAGES("/v1/messages"),
    RERANK("/v1/rerank"),
    SCORE("/v1/score"),
    TOKENIZE("/v1/tokenize"),
    AUDIO("/v1/audio/"),
    IMAGES("/v1/images/"),
    OTHER("/v1/");

    private static final Api[] ALL = values();

    private final String path;
    private final boolean prefix;

    Api(String path) {
        this.path = path;
        this.prefix = path.endsWith("/");
    }

    /// The path, or its beginning when it ends with `/`.
    public String path() {
        return path;
    }

    /// @param path without the query
    public static Api of(String path) {
        for (Api api : ALL) {
            if (api.prefix ? path.startsWith(api.path) : path.equals(api.path)) {
                return api;
            }
        }
        return OTHER;
    }
}
