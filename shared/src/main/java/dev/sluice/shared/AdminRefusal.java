package dev.sluice.shared;

/// Ends an admin request with an answer, from the depth of reading it.
public final class AdminRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient AdminAnswer answer;

    public AdminRefusal(AdminAnswer answer) {
        super("refused", null, false, false);
        this.answer = answer;
    }

    public AdminAnswer answer() {
        return answer;
    }
}
