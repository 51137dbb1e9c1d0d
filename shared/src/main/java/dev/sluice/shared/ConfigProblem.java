package dev.sluice.shared;

/// One thing wrong with a configuration: where, what, and what to write instead.
///
/// @param path the field, as `pools[0].endpoints[1].url`; empty for the document itself
/// @param line 1-based line in the file, or 0 where there is none (flags)
/// @param message what is wrong, with the value that was found
/// @param fix what to write instead
public record ConfigProblem(String path, int line, String message, String fix) {

    @Override
    public String toString() {
        var where = new StringBuilder();
        if (line > 0) {
            where.append("line ").append(line).append(": ");
        }
        if (!path.isEmpty()) {
            where.append(path).append(": ");
        }
        where.append(message);
        if (!fix.isEmpty()) {
            where.append(" (").append(fix).append(')');
        }
        return where.toString();
    }
}
