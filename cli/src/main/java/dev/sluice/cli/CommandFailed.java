package dev.sluice.cli;

/// A command cannot go on, and the person who ran it can tell why from the message alone.
final class CommandFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private CommandFailed(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /// What was asked for did not work out: exit code 1.
    static CommandFailed failed(String message) {
        return new CommandFailed(1, message);
    }

    /// What was asked for makes no sense: exit code 2.
    static CommandFailed badInput(String message) {
        return new CommandFailed(2, message);
    }

    int exitCode() {
        return exitCode;
    }
}
