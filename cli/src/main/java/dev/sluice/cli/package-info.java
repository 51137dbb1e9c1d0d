/// `sluice`: one command line over all of it. In: words, flags, files. Out: results on standard
/// output, progress and errors on standard error, and an exit code: 0 done, 1 failed, 2 bad input.
/// {@link dev.sluice.cli.Main} lists the commands; each is a class of its own.
@NullMarked
package dev.sluice.cli;

import org.jspecify.annotations.NullMarked;
