/// Inputs that nobody thought of: Jazzer targets. `mvn -Pfuzz -pl proxy -am verify` searches for a
/// minute with each; without the profile they run over their seeds, which every finding joins.
package dev.sluice.proxy.fuzz;
