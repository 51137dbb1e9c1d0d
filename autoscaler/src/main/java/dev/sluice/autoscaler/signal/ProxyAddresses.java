package dev.sluice.autoscaler.signal;

import java.io.IOException;
import java.net.URI;
import java.util.List;

/// Where the proxies' admin ports are now. Its text names the source, for people.
@FunctionalInterface
public interface ProxyAddresses {

    /// @throws IOException when nobody can say, with the reason
    List<URI> now() throws IOException;
}
