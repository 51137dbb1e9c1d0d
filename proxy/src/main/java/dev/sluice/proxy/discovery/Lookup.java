package dev.sluice.proxy.discovery;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.regex.Pattern;

/// Asks for the addresses of a name. Blocks.
@FunctionalInterface
public interface Lookup {
    Answer of(String name);

    /// What came back.
    sealed interface Answer {
        record Addresses(List<InetAddress> all) implements Answer {}

        /// The name does not exist, or has no address.
        record None(String why) implements Answer {}

        /// Nobody could say.
        record Failed(String why) implements Answer {}
    }

    /// The system's resolver, so that names mean what they mean to every other program here: search
    /// domains, `/etc/hosts` and all. The JVM's own cache has to be off (`networkaddress.cache.ttl`
    /// 0): it would hide changes for 30 s.
    static Lookup system() {
        // The words of glibc, musl and macOS. Whatever else is said is a failure, which is safe.
        Pattern none =
                Pattern.compile(
                        "(?i)not known|no address associated|does not resolve|no usable address");
        return name -> {
            try {
                return new Answer.Addresses(List.of(InetAddress.getAllByName(name)));
            } catch (UnknownHostException e) {
                String why = String.valueOf(e.getMessage());
                return none.matcher(why).find() ? new Answer.None(why) : new Answer.Failed(why);
            }
        };
    }
}
