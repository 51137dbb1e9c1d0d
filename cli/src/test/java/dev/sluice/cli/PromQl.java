package dev.sluice.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names in a query of Prometheus: enough of its grammar to tell metrics, labels and functions
/// apart. Whether a query parses is promtool's to say.
///
/// @param selectors each use of a metric
/// @param labels those that it groups or matches by, as in `by (pool)`
record PromQl(List<Selector> selectors, Set<String> labels) {
    private static final Pattern TOKEN =
            Pattern.compile(
                    "\"(?:[^\"\\\\]|\\\\.)*\"" // text
                            + "|\\[[^]]*]" // a range
                            + "|\\d[\\w.]*" // a number or duration
                            + "|[A-Za-z_:][\\w:]*" // a name
                            + "|[{}()]");
    private static final Pattern MATCHER =
            Pattern.compile("(\\w+)\\s*(?:=~|!~|!=|=)\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Set<String> GROUPING =
            Set.of("by", "without", "on", "ignoring", "group_left", "group_right");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "bool", "offset");

    /// @param metric its name
    /// @param matchers what its labels have to be
    record Selector(String metric, List<LabelMatcher> matchers) {}

    /// `state=~"healthy|degraded"`: the label, and what stands between the quotes.
    record LabelMatcher(String label, String value) {}

    static PromQl of(String query) {
        var selectors = new ArrayList<Selector>();
        var labels = new HashSet<String>();
        Matcher token = TOKEN.matcher(query);
        while (token.find()) {
            String word = token.group();
            String rest = query.substring(token.end()).stripLeading();
            if (!Character.isLetter(word.charAt(0)) || WORDS.contains(word)) {
                continue;
            }
            if (GROUPING.contains(word)) {
                int close = query.indexOf(')', token.end());
                for (String label :
                        query.substring(query.indexOf('(', token.end()) + 1, close).split(",")) {
                    labels.add(label.strip());
                }
                token.region(close, query.length());
            } else if (rest.startsWith("{")) {
                int open = query.indexOf('{', token.end());
                int close = closing(query, open);
                selectors.add(new Selector(word, matchers(query.substring(open, close))));
                token.region(close, query.length());
            } else if (!rest.startsWith("(") && !rest.matches("(?s)(by|without)\\b.*")) {
                selectors.add(new Selector(word, List.of()));
            }
        }
        labels.remove("");
        return new PromQl(List.copyOf(selectors), Set.copyOf(labels));
    }

    private static int closing(String query, int open) {
        boolean quoted = false;
        for (int i = open; i < query.length(); i++) {
            if (query.charAt(i) == '"') {
                quoted = !quoted;
            } else if (query.charAt(i) == '}' && !quoted) {
                return i;
            }
        }
        throw new IllegalArgumentException("no } in " + query);
    }

    private static List<LabelMatcher> matchers(String braces) {
        return MATCHER.matcher(braces)
                .results()
                .map(found -> new LabelMatcher(found.group(1), found.group(2)))
                .toList();
    }
}
