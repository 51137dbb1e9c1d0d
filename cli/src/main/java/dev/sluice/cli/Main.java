package dev.sluice.cli;

import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Policy;
import dev.sluice.shared.AdminConfig;
import dev.sluice.shared.ConfigException;
import dev.sluice.shared.ConfigNode;
import dev.sluice.shared.Units;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;

/// The command line: the list of commands, and the one place where an exception becomes a sentence
/// and an exit code.
@Command(
        name = "sluice",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        header = "Load-balancing proxy and autoscaler for LLM inference.",
        description = "%nStart with:  sluice demo%n",
        footer = {
            "",
            "sluice COMMAND --help shows a command's flags and examples.",
            "SLUICE_LOG=debug logs more. SLUICE_LOG_FORMAT is text or json; without it, text on a",
            "terminal and one JSON object on each line elsewhere."
        })
public final class Main implements Runnable {

    private static final int HELP_WIDTH = 100;

    private final Console console;

    private Main(Console console) {
        this.console = console;
    }

    public static void main(String[] args) {
        Console console = Console.ofProcess();
        String problem = LogEncoder.problem(System::getenv);
        int code = problem == null ? run(console, args) : say(2, problem, console);
        Logs.flush();
        System.exit(code);
    }

    /// Runs one command line; its exit code.
    static int run(Console console, String... args) {
        return commandLine(console, args.length == 0 ? "" : args[0]).execute(args);
    }

    /// With every command.
    static CommandLine commandLine(Console console) {
        return commandLine(console, "");
    }

    /// With the one command that `first` names, where it names one: to read the flags of all of
    /// them would be a third of the time until a proxy serves.
    private static CommandLine commandLine(Console console, String first) {
        var line = new CommandLine(new Main(console));
        Map<String, Supplier<Object>> commands = commands(console);
        Supplier<Object> one = commands.get(first);
        (one == null ? commands.values() : List.of(one))
                .forEach(command -> line.addSubcommand(command.get()));
        Manual.complete(line);
        line.setOut(console.out());
        line.setErr(console.err());
        converter(line, Duration.class, Units::duration);
        converter(line, Policy.class, Main::policy);
        converter(line, InetSocketAddress.class, Units::address);
        converter(line, EndpointUrl.class, EndpointUrl::parse);
        converter(line, AdminConfig.class, address -> AdminConfig.parse(address, null));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpWidth(HELP_WIDTH);
        line.setParameterExceptionHandler((e, args) -> badFlag(e, console));
        line.setExecutionExceptionHandler((e, cmd, parsed) -> failure(e, console));
        return line;
    }

    /// By name, in the order of the help.
    private static Map<String, Supplier<Object>> commands(Console console) {
        var commands = new LinkedHashMap<String, Supplier<Object>>();
        commands.put("demo", () -> new DemoCommand(console));
        commands.put("proxy", ProxyCommand::new);
        commands.put("autoscaler", AutoscalerCommand::new);
        commands.put("simulate", () -> new SimulateCommand(console));
        commands.put("replay", () -> new ReplayCommand(console));
        commands.put("evaluate", () -> new EvaluateCommand(console));
        commands.put("check", () -> new CheckCommand(console));
        commands.put("endpoints", () -> new EndpointsCommand(console));
        commands.put("explain", () -> new ExplainCommand(console));
        commands.put("top", () -> new TopCommand(console));
        commands.put("completion", () -> new CompletionCommand(console));
        return commands;
    }

    /// Without a command: what there is.
    @Override
    public void run() {
        commandLine(console).usage(console.out());
    }

    /// Has a flag's text read by one of the readers of configuration files.
    private static <T> void converter(CommandLine line, Class<T> type, Function<String, T> read) {
        line.registerConverter(
                type,
                text -> {
                    try {
                        return read.apply(text);
                    } catch (IllegalArgumentException e) {
                        throw new TypeConversionException(e.getMessage());
                    }
                });
    }

    private static Policy policy(String text) {
        for (Policy policy : Policy.values()) {
            if (policy.label().equals(text)) {
                return policy;
            }
        }
        var names = new TreeSet<String>();
        for (Policy policy : Policy.values()) {
            names.add(policy.label());
        }
        throw new IllegalArgumentException(
                "\"" + text + "\" is not a policy; there are " + String.join(", ", names));
    }

    private static int badFlag(ParameterException e, Console console) {
        CommandLine cmd = e.getCommandLine();
        String name = cmd.getCommandSpec().qualifiedName();
        if (e.getArgSpec() == null && e instanceof UnmatchedArgumentException unknown) {
            console.err().println(name + ": " + unmatched(unknown));
        } else {
            console.err().println(name + ": " + wrongValue(e));
        }
        console.err().println("See: " + name + " --help");
        return 2;
    }

    /// `unknown flag --polcy (did you mean --policy?)`.
    private static String unmatched(UnmatchedArgumentException e) {
        String word = e.getUnmatched().getFirst();
        var spec = e.getCommandLine().getCommandSpec();
        Set<String> known =
                new TreeSet<>(
                        word.startsWith("-")
                                ? spec.optionsMap().keySet()
                                : spec.subcommands().keySet());
        String what = word.startsWith("-") ? "unknown flag " : "unknown word ";
        if (known.isEmpty()) {
            return what + word;
        }
        String flag = word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
        return what + flag + " (" + ConfigNode.suggest(flag, known) + ")";
    }

    private static int failure(Exception thrown, Console console) {
        Throwable e =
                thrown instanceof UncheckedIOException io && io.getCause() != null
                        ? io.getCause()
                        : thrown;
        return switch (e) {
            case ConfigException config -> say(2, String.valueOf(config.getMessage()), console);
            case CommandFailed failed ->
                    say(failed.exitCode(), String.valueOf(failed.getMessage()), console);
            case BindException bind -> say(1, String.valueOf(bind.getMessage()), console);
            default -> {
                // A bug: the trace is for its report.
                e.printStackTrace(console.err());
                yield say(1, "unexpected: " + e, console);
            }
        };
    }

    private static int say(int code, String message, Console console) {
        console.err().println("sluice: " + message);
        return code;
    }

    /// `--policy: "foo" is not a policy; …` for a value, else picocli's own sentence.
    private static String wrongValue(ParameterException e) {
        String text = String.valueOf(e.getMessage());
        if (e.getArgSpec() instanceof OptionSpec option
                && e.getCause() instanceof TypeConversionException) {
            return option.longestName() + ": " + e.getCause().getMessage();
        }
        return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }

    /// From the jar's manifest.
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {
                "sluice " + (version == null ? "(not from a jar)" : version),
                "java " + Runtime.version()
            };
        }
    }
}
