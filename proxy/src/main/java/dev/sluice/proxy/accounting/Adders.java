package dev.sluice.proxy.accounting;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// One adder for each constant of an enum.
final class Adders {
    private Adders() {}

    static <E extends Enum<E>> Map<E, LongAdder> of(Class<E> type) {
        var out = new EnumMap<E, LongAdder>(type);
        for (E constant : type.getEnumConstants()) {
            out.put(constant, new LongAdder());
        }
        return out;
    }

    static <E extends Enum<E>> LongAdder get(Map<E, LongAdder> adders, E constant) {
        LongAdder adder = adders.get(constant);
        if (adder == null) {
            throw new AssertionError(constant);
        }
        return adder;
    }
}
