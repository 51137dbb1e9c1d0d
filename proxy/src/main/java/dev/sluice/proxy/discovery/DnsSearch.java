package dev.sluice.proxy.discovery;

import dev.sluice.proxy.pool.Discovery.Dns;
import dev.sluice.proxy.pool.EndpointConfig;
import dev.sluice.proxy.pool.EndpointUrl;
import dev.sluice.proxy.pool.Offer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Looks a name up again and again, on a virtual thread of its own.
final class DnsSearch implements Search {
    private static final Logger log = LoggerFactory.getLogger(DnsSearch.class);

    private final Dns dns;
    private final Lookup lookup;
    private final Consumer<List<Offer>> found;
    private final Thread thread;
    private volatile Believed believed = Believed.NOTHING_YET;

    DnsSearch(Dns dns, Lookup lookup, Consumer<List<Offer>> found) {
        this.dns = dns;
        this.lookup = lookup;
        this.found = found;
        this.thread = Thread.ofVirtual().name("dns-" + dns.name()).start(this::run);
    }

    @Override
    public Standing standing() {
        Believed now = believed;
        String state = !now.answered() ? "starting" : now.problem().isEmpty() ? "fresh" : "stale";
        return new Standing(state, now.addresses().size(), now.problem());
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        while (!Thread.currentThread().isInterrupted()) {
            look();
            try {
                Thread.sleep(dns.interval());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void look() {
        Believed before = believed;
        Believed after = before.after(lookup.of(dns.name()));
        believed = after;
        if (!after.problem().isEmpty() && before.problem().isEmpty()) {
            log.warn(
                    "{}: {}; the last known {} endpoints are kept",
                    dns.name(),
                    after.problem(),
                    after.addresses().size());
        }
        if (after.answered()
                && (!before.answered() || !after.addresses().equals(before.addresses()))) {
            found.accept(offers(after.addresses()));
        }
    }

    private List<Offer> offers(List<InetAddress> addresses) {
        var out = new ArrayList<Offer>();
        for (InetAddress address : addresses) {
            if (address.isLinkLocalAddress()) {
                log.warn("{} has the link-local address {}: not used", dns.name(), address);
                continue;
            }
            var url = new EndpointUrl(false, address.getHostAddress(), dns.port(), "");
            out.add(Offer.of(new EndpointConfig(url, 1)));
        }
        return out;
    }
}
