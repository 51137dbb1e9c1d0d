package dev.sluice.proxy.discovery;

import dev.sluice.proxy.discovery.Lookup.Answer;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;

/// Which addresses of a name are believed, answer after answer. Pure.
///
/// A lookup that fails changes nothing. One that finds no address counts from the third in a row:
/// the moment in which a Service has no ready pod looks the same as its end. Of a name with
/// addresses of both families those of IPv4 count, since DNS does not say which two are one host,
/// and a host that is counted twice gets twice its share.
///
/// @param addresses sorted; empty before the first answer
/// @param empties answers in a row without an address
/// @param answered whether there was an answer at all
/// @param problem why what is believed may be old; empty: it is not
record Believed(List<InetAddress> addresses, int empties, boolean answered, String problem) {
    static final int EMPTIES_THAT_COUNT = 3;
    static final Believed NOTHING_YET = new Believed(List.of(), 0, false, "");

    Believed after(Answer answer) {
        return switch (answer) {
            case Answer.Failed(String why) -> new Believed(addresses, empties, answered, why);
            case Answer.Addresses(List<InetAddress> all) when all.isEmpty() -> none("no address");
            case Answer.Addresses(List<InetAddress> all) ->
                    new Believed(oneFamily(all), 0, true, "");
            case Answer.None(String why) -> none(why);
        };
    }

    private Believed none(String why) {
        int n = empties + 1;
        return n < EMPTIES_THAT_COUNT
                ? new Believed(addresses, n, answered, why)
                : new Believed(List.of(), n, true, "");
    }

    private static List<InetAddress> oneFamily(List<InetAddress> all) {
        boolean four = all.stream().anyMatch(a -> a instanceof Inet4Address);
        return all.stream()
                .filter(a -> !four || a instanceof Inet4Address)
                .distinct()
                .sorted((a, b) -> a.getHostAddress().compareTo(b.getHostAddress()))
                .toList();
    }
}
