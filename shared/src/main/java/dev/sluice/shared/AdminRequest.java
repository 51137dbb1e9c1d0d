package dev.sluice.shared;

import java.util.Map;

/// A request to the admin port, already admitted and read.
///
/// @param variables of the path, decoded
/// @param query decoded; of a name given twice, the last
/// @param accept the Accept header; empty without one
/// @param mayWrite whether its sender may change things, which a route that only reads need not ask
public record AdminRequest(
        Map<String, String> variables,
        Map<String, String> query,
        String accept,
        boolean mayWrite,
        String body) {

    /// A variable of the route's pattern.
    public String path(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no {" + name + "} in this route's pattern");
        }
        return value;
    }

    /// A whole number of the query.
    ///
    /// @throws AdminRefusal when it is none, or out of range
    public int number(String name, int ifAbsent, int min, int max) {
        String text = query.get(name);
        if (text == null) {
            return ifAbsent;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below, with what was found
        }
        throw new AdminRefusal(
                AdminAnswer.badRequest(
                        name,
                        "\"" + text + "\" is not a number from " + min + " to " + max,
                        "write ?" + name + "=" + ifAbsent));
    }

    /// The body as a record, where every field must be one that it knows.
    ///
    /// @throws AdminRefusal naming the field at fault
    public <T> T strict(Class<T> type) {
        return AdminJson.read(body, type, true);
    }

    /// The body as a record; fields that it does not know are passed over, since the sender may be
    /// newer.
    ///
    /// @throws AdminRefusal naming the field at fault
    public <T> T lenient(Class<T> type) {
        return AdminJson.read(body, type, false);
    }
}
