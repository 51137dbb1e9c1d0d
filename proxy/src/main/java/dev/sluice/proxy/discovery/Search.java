package dev.sluice.proxy.discovery;

/// A running search for a pool's endpoints. It gives all of them at each change, until it is
/// closed.
interface Search extends AutoCloseable {
    Standing standing();

    @Override
    void close();

    /// How a search stands.
    ///
    /// @param state `starting`, `fresh`, or `stale` while the last known endpoints are kept because
    ///   nobody answers
    /// @param problem what was last wrong; empty: nothing
    record Standing(String state, int endpoints, String problem) {}
}
