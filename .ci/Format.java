import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

/** Checks (or with "write" rewrites) every Java file of the repository with google-java-format. */
class Format {
    public static void main(String[] args) throws Exception {
        boolean write = args.length > 1 && args[1].equals("write");
        List<String> files;
        try (Stream<Path> all = Files.walk(Path.of(""))) {
            files =
                    all.filter(p -> p.toString().endsWith(".java") && !p.toString().contains("target/"))
                            .filter(p -> p.toString().contains("src/"))
                            .map(Path::toString)
                            .sorted()
                            .toList();
        }
        if (files.isEmpty()) {
            return;
        }
        var command = new ArrayList<String>(List.of(ProcessHandle.current().info().command().orElse("java")));
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", args[0], "--aosp"));
        command.addAll(write ? List.of("--replace") : List.of("--dry-run", "--set-exit-if-changed"));
        command.addAll(files);
        int code = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (code != 0 && !write) {
            System.err.println("The files above differ from the format. To rewrite them: mvn -N -Pformat process-sources");
        }
        System.exit(code);
    }
}
