package dev.sluice.proxy.listener;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Errors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class TransportTest {
    /// The native library is versioned apart from the BOM; a mismatch only shows on the first
    /// error.
    @Test
    @EnabledOnOs(OS.LINUX)
    void nativeLibraryFitsTheClassesThatCallIt() {
        assertThat(Epoll.isAvailable()).as("epoll: %s", Epoll.unavailabilityCause()).isTrue();
        assertThat(Errors.ERRNO_ECONNRESET_NEGATIVE).isNegative();
        assertThat(Transport.of(Transport.Choice.AUTO).name()).isEqualTo("epoll");
    }
}
