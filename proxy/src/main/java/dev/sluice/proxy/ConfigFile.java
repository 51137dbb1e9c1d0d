package dev.sluice.proxy;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.function.UnaryOperator;

/// The file that a proxy is told by, with what the command line puts over it.
public final class ConfigFile {
    private final Path path;
    private final UnaryOperator<ProxyConfig> flags;
    private final @Nullable Stamp opened;

    /// What tells one content of the file from the next, without reading it. The key is the inode:
    /// Kubernetes changes a mounted ConfigMap by pointing a link to another folder.
    record Stamp(FileTime modified, long size, @Nullable Object key) {}

    /// @param flags what the command line says goes before what the file says
    public ConfigFile(Path path, UnaryOperator<ProxyConfig> flags) {
        this.path = path;
        this.flags = flags;
        this.opened = stamp();
    }

    /// @throws dev.sluice.shared.ConfigException with every problem
    public ProxyConfig read() {
        return flags.apply(ProxyConfig.read(path));
    }

    /// Another content that somebody sent.
    ///
    /// @throws dev.sluice.shared.ConfigException with every problem
    ProxyConfig parse(String text) {
        return flags.apply(ProxyConfig.parse(text, path));
    }

    /// As it was before it was first read.
    @Nullable Stamp opened() {
        return opened;
    }

    /// Null while there is no such file.
    @Nullable Stamp stamp() {
        try {
            var now = Files.readAttributes(path, BasicFileAttributes.class);
            return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
