package dev.sluice.autoscaler.kubernetes;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;

/// Reads a pod as the scaler sees it. Pure.
final class Pods {
    /// On a pod that drains: since when, RFC 3339. What a successor goes on from.
    static final String DRAINING = "sluice.dev/draining";

    /// On a pod that has drained, just before the scale is lowered.
    static final String DRAINED = "sluice.dev/drained";

    /// The ReplicaSet controller lets the pod with the lowest cost go first.
    static final String COST = "controller.kubernetes.io/pod-deletion-cost";

    private static final String ZONE = "topology.kubernetes.io/zone";
    private static final List<String> REVISIONS =
            List.of("pod-template-hash", "controller-revision-hash");

    private Pods() {}

    /// @param ip null until it has one
    /// @param readyMs when it became ready; null while it is not
    /// @param markedMs since when it drains; null when it does not
    /// @param drained whether nothing runs there any more and only the scale is to be lowered
    /// @param zone where it runs, or its node where zones are not known; empty before scheduling
    /// @param trouble why it does not start; null when nothing is known
    /// @param cores what 100 % CPU of it means; null where neither request nor limit says
    record View(
            String name,
            String uid,
            @Nullable String ip,
            long createdMs,
            @Nullable Long readyMs,
            boolean terminating,
            @Nullable Long markedMs,
            boolean drained,
            String zone,
            String revision,
            int restarts,
            @Nullable Trouble trouble,
            @Nullable Double cores) {

        boolean ready() {
            return readyMs != null;
        }

        boolean marked() {
            return markedMs != null;
        }

        /// Of a StatefulSet's pod; -1 for any other.
        int ordinal() {
            int dash = name.lastIndexOf('-');
            String number = name.substring(dash + 1);
            boolean digits = !number.isEmpty() && number.chars().allMatch(Character::isDigit);
            return digits && number.length() < 9 ? Integer.parseInt(number) : -1;
        }
    }

    /// Why a pod does not become ready.
    sealed interface Trouble {
        record Unschedulable(String message) implements Trouble {}

        record Crashing(String message) implements Trouble {}
    }

    static boolean ended(Pod pod) {
        String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
        return "Succeeded".equals(phase) || "Failed".equals(phase);
    }

    static View view(Pod pod) {
        Map<String, String> labels = orEmpty(pod.getMetadata().getLabels());
        Map<String, String> notes = orEmpty(pod.getMetadata().getAnnotations());
        String node = pod.getSpec() == null ? null : pod.getSpec().getNodeName();
        return new View(
                pod.getMetadata().getName(),
                pod.getMetadata().getUid(),
                pod.getStatus() == null ? null : pod.getStatus().getPodIP(),
                millis(pod.getMetadata().getCreationTimestamp(), 0),
                readyMs(pod),
                pod.getMetadata().getDeletionTimestamp() != null,
                notes.containsKey(DRAINING) ? millis(notes.get(DRAINING), 0) : null,
                notes.containsKey(DRAINED),
                labels.getOrDefault(ZONE, node == null ? "" : node),
                REVISIONS.stream().map(labels::get).filter(v -> v != null).findFirst().orElse(""),
                restarts(pod),
                trouble(pod),
                cores(pod));
    }

    private static Map<String, String> orEmpty(@Nullable Map<String, String> map) {
        return map == null ? Map.of() : map;
    }

    private static @Nullable Long readyMs(Pod pod) {
        PodCondition ready = condition(pod, "Ready");
        return ready == null || !"True".equals(ready.getStatus())
                ? null
                : Long.valueOf(millis(ready.getLastTransitionTime(), 0));
    }

    private static @Nullable PodCondition condition(Pod pod, String type) {
        if (pod.getStatus() == null) {
            return null;
        }
        return pod.getStatus().getConditions().stream()
                .filter(c -> type.equals(c.getType()))
                .findFirst()
                .orElse(null);
    }

    private static int restarts(Pod pod) {
        return pod.getStatus() == null
                ? 0
                : pod.getStatus().getContainerStatuses().stream()
                        .mapToInt(c -> c.getRestartCount() == null ? 0 : c.getRestartCount())
                        .sum();
    }

    private static @Nullable Trouble trouble(Pod pod) {
        PodCondition scheduled = condition(pod, "PodScheduled");
        if (scheduled != null && "Unschedulable".equals(scheduled.getReason())) {
            return new Trouble.Unschedulable(String.valueOf(scheduled.getMessage()));
        }
        if (pod.getStatus() == null) {
            return null;
        }
        for (ContainerStatus c : pod.getStatus().getContainerStatuses()) {
            var waiting = c.getState() == null ? null : c.getState().getWaiting();
            String why = waiting == null ? null : waiting.getReason();
            if (why != null && (why.endsWith("BackOff") || why.startsWith("ErrImage"))) {
                return new Trouble.Crashing(why + " of container " + c.getName());
            }
        }
        return null;
    }

    /// The request, else the limit; null as soon as one container has neither.
    private static @Nullable Double cores(Pod pod) {
        double sum = 0;
        for (Container c : pod.getSpec().getContainers()) {
            Quantity cpu = null;
            if (c.getResources() != null) {
                cpu = quantity(c.getResources().getRequests());
                cpu = cpu == null ? quantity(c.getResources().getLimits()) : cpu;
            }
            if (cpu == null) {
                return null;
            }
            sum += cpu.getNumericalAmount().doubleValue();
        }
        return sum == 0 ? null : sum;
    }

    private static @Nullable Quantity quantity(@Nullable Map<String, Quantity> amounts) {
        return amounts == null ? null : amounts.get("cpu");
    }

    static long millis(@Nullable String rfc3339, long otherwise) {
        try {
            return rfc3339 == null ? otherwise : Instant.parse(rfc3339).toEpochMilli();
        } catch (DateTimeParseException e) {
            return otherwise;
        }
    }
}
