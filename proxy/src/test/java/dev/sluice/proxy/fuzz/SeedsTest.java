package dev.sluice.proxy.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Runs each target over its seeds, without Jazzer, which would instrument every class of the build
/// for it.
class SeedsTest {
    private static final Path SEEDS = Path.of("src/test/resources/dev/sluice/proxy/fuzz");

    @TestFactory
    List<DynamicTest> everyTargetHoldsForItsSeeds() throws IOException {
        var out = new ArrayList<DynamicTest>();
        for (Object target :
                new Object[] {
                    new RequestHeadFuzz(),
                    new ResponseHeadFuzz(),
                    new BodyFramingFuzz(),
                    new WebSocketFramingFuzz(),
                    new StreamTapFuzz(),
                    new JsonScanFuzz(),
                    new ProxyConfigFuzz()
                }) {
            for (Method method : target.getClass().getDeclaredMethods()) {
                if (method.isAnnotationPresent(FuzzTest.class)) {
                    out.addAll(tests(target, method));
                }
            }
        }
        return out;
    }

    private static List<DynamicTest> tests(Object target, Method method) throws IOException {
        String name = target.getClass().getSimpleName();
        var out = new ArrayList<DynamicTest>();
        try (Stream<Path> seeds =
                Files.list(SEEDS.resolve(name + "Inputs").resolve(method.getName()))) {
            for (Path seed : seeds.toList()) {
                byte[] bytes = Files.readAllBytes(seed);
                out.add(
                        DynamicTest.dynamicTest(
                                name + " " + seed.getFileName(),
                                () -> method.invoke(target, (Object) bytes)));
            }
        }
        return out;
    }
}
