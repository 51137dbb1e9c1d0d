package dev.sluice.autoscaler.decision;

/// Why there should be this many replicas. {@link #word} is the same in the log, the meter's label
/// and the page, and does not change between versions.
public enum Reason {
    // Up.
    /// Work in flight and queued needs more replicas.
    LOAD("load", "the work in flight and queued needs more"),
    /// Prompts wait in the engines' own queues, whatever slots are free.
    PROMPTS("prompts", "prompts wait too long to be read"),
    /// Work needs more, past doubling, because calls wait longer than their objective.
    QUEUE_WAIT("queue-wait", "calls wait longer than their objective"),
    CPU_HIGH("cpu-high", "mean CPU is above cpuHigh"),
    /// Calls are refused or give up for want of capacity.
    ERRORS_SATURATION("errors-saturation", "calls fail for want of capacity"),
    /// Endpoints fail, and have more work than they can serve.
    ERRORS_OVERLOAD("errors-overload", "calls fail on replicas that are overloaded"),
    BELOW_MIN("below-min", "fewer than min"),
    /// Calls wait, and there is no replica.
    HELD_CALLS("held-calls", "calls wait and there is no replica"),
    /// No replica, and the proxies cannot say whether calls wait.
    BLIND_AT_ZERO("blind-at-zero", "no replica, and the proxies do not answer"),

    // Down.
    LOAD_LOW("load-low", "the work fits on fewer, for the whole window"),
    CPU_LOW("cpu-low", "CPU and errors are low, for the whole window"),
    IDLE("idle", "no call for the whole idle time"),
    ABOVE_MAX("above-max", "more than max"),

    // Hold.
    STEADY("steady", "as many as needed"),
    /// Fewer than all proxies answered.
    SIGNALS_STALE("signals-stale", "not every proxy answers, so the load is not known"),
    /// Starting replicas will serve what is missing.
    PENDING("pending", "the replicas that are starting will do"),
    /// What was asked for cannot start: quota, no node.
    NO_ROOM("no-room", "more were asked for, and there is no room for them"),
    AT_MAX("at-max", "more are needed, and max is reached"),
    /// The need was higher within the window.
    WINDOW("window", "more were needed within the scale-down window"),
    /// Not observed for the whole window yet.
    WINDOW_NOT_FULL("window-not-full", "not observed for a whole scale-down window yet"),
    /// One fewer would have more work than it can serve.
    WOULD_NOT_FIT("would-not-fit", "the work would not fit on one fewer"),
    /// One fewer could not carry what comes again and again, for a few seconds each.
    BURSTS("bursts", "bursts of the last two scale-down windows would not fit on one fewer"),
    /// CPU is not low enough to let one go.
    CPU_BUSY("cpu-busy", "CPU is too high to let one go"),
    /// Errors are too frequent to let one go.
    ERRORS_BUSY("errors-busy", "errors are too frequent to let one go"),
    /// One is still finishing its calls.
    DRAINING("draining", "one replica is still draining"),
    ERRORS_NOT_LOAD("errors-not-load", "calls fail while load is ordinary: replicas do not help"),
    BAD_ROLLOUT("bad-rollout", "calls fail on the newest replicas only");

    private final String word;
    private final String sentence;

    Reason(String word, String sentence) {
        this.word = word;
        this.sentence = sentence;
    }

    public String word() {
        return word;
    }

    /// For people, to follow "2 -> 4: ".
    public String sentence() {
        return sentence;
    }
}
