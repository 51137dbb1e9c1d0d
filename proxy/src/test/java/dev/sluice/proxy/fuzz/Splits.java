package dev.sluice.proxy.fuzz;

import java.util.Arrays;
import java.util.Random;

/// Where an input is cut, as a network might; the same for the same input.
final class Splits {
    private Splits() {}

    /// Ascending positions, ending with the input's length.
    static int[] of(byte[] data) {
        var random = new Random(Arrays.hashCode(data));
        int[] out = new int[random.nextInt(1, 8)];
        for (int i = 0; i < out.length; i++) {
            out[i] = random.nextInt(data.length + 1);
        }
        Arrays.sort(out);
        out[out.length - 1] = data.length;
        return out;
    }
}
