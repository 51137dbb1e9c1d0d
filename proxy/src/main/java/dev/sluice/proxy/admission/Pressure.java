package dev.sluice.proxy.admission;

/// What the state of memory asks for; each includes those before it.
public enum Pressure {
    NONE,
    /// Refuse sheddable calls.
    SHED,
    /// End connections after their response: idle ones hold buffers, and clients come back
    /// elsewhere.
    STOP_KEEP_ALIVE,
    /// Refuse all calls.
    REFUSE;

    /// How far below its threshold a level ends, so that it does not come and go.
    private static final double SLACK = 0.03;

    /// The level that a share of memory means.
    ///
    /// @param before the level until now
    static Pressure of(double share, Pressure before, MemoryConfig config) {
        Pressure now = NONE;
        for (Pressure level : values()) {
            double from = level.from(config) - (level.compareTo(before) <= 0 ? SLACK : 0);
            if (share >= from) {
                now = level;
            }
        }
        return now;
    }

    /// As a number, rising.
    public int level() {
        return switch (this) {
            case NONE -> 0;
            case SHED -> 1;
            case STOP_KEEP_ALIVE -> 2;
            case REFUSE -> 3;
        };
    }

    private double from(MemoryConfig config) {
        return switch (this) {
            case NONE -> Double.NEGATIVE_INFINITY;
            case SHED -> config.shed();
            case STOP_KEEP_ALIVE -> config.stopKeepAlive();
            case REFUSE -> config.refuse();
        };
    }
}
