package dev.sluice.shared;

import java.util.List;
import java.util.stream.Collectors;

/// A configuration that cannot be used, with every problem found in it.
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<ConfigProblem> problems;

    public ConfigException(String source, List<ConfigProblem> problems) {
        super(
                problems.stream()
                        .map(p -> "  " + p)
                        .collect(
                                Collectors.joining(
                                        "\n",
                                        source
                                                + ": "
                                                + problems.size()
                                                + (problems.size() == 1 ? " problem" : " problems")
                                                + "\n",
                                        "")));
        this.problems = List.copyOf(problems);
    }

    /// All problems, in the order of the file.
    public List<ConfigProblem> problems() {
        return problems;
    }
}
