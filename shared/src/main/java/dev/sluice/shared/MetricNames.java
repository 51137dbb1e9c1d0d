package dev.sluice.shared;

/// Every metric that Sluice publishes, and its labels, written once: the contract with dashboards,
/// alert rules and the autoscaler. Names are as they stand in a scrape, counters with their
/// `_total`; units are base units. A test compares this class with a live scrape.
///
/// Labels are bounded: a model is one that is served, else `other`; pools and endpoints come from
/// the configuration or the admin port; everything else is a fixed set of words.
public final class MetricNames {
    // Calls, named as OpenTelemetry's conventions for generative AI name them.

    /// Histogram, from the decoded head to the last byte. Labels {@link #OPERATION}, {@link
    /// #MODEL}, {@link #POOL}, {@link #CODE_CLASS}.
    public static final String REQUEST_DURATION = "gen_ai_server_request_duration_seconds";

    /// Histogram, from the decoded request to the first content byte. Labels {@link #OPERATION},
    /// {@link #MODEL}, {@link #POOL}.
    public static final String TIME_TO_FIRST_TOKEN = "gen_ai_server_time_to_first_token_seconds";

    /// Histogram of a stream's mean time between output tokens. Labels as {@link
    /// #TIME_TO_FIRST_TOKEN}.
    public static final String TIME_PER_OUTPUT_TOKEN =
            "gen_ai_server_time_per_output_token_seconds";

    /// Histogram of tokens in a call. Labels as {@link #TIME_TO_FIRST_TOKEN}, and {@link
    /// #TOKEN_TYPE}.
    public static final String TOKEN_USAGE = "gen_ai_client_token_usage";

    // The proxy.

    /// Counter. Labels {@link #POOL} (empty when the call found none), {@link #CODE_CLASS}.
    public static final String REQUESTS = "sluice_requests_total";

    /// Counter of calls that Sluice answered itself. Labels {@link #POOL}, {@link #CODE}.
    public static final String REFUSALS = "sluice_refusals_total";

    /// Histogram of the proxy's own share of the time to the first byte. Label {@link #POOL}.
    public static final String OVERHEAD = "sluice_overhead_seconds";

    /// Histogram of the wait for a slot, of calls that waited or were placed. Label {@link #POOL}.
    public static final String QUEUE_WAIT = "sluice_queue_wait_seconds";

    /// Gauge. Label {@link #POOL}.
    public static final String QUEUE_DEPTH = "sluice_queue_depth";

    /// Gauge. Labels {@link #POOL}, {@link #ENDPOINT}.
    public static final String IN_FLIGHT = "sluice_inflight";

    /// Gauge, 1 at the state that an endpoint is in, else 0. Labels {@link #POOL}, {@link
    /// #ENDPOINT}, {@link #STATE}.
    public static final String ENDPOINT_STATE = "sluice_endpoint_state";

    /// Counter of exchanges begun. Labels {@link #POOL}, {@link #ENDPOINT}.
    public static final String ENDPOINT_ATTEMPTS = "sluice_endpoint_attempts_total";

    /// Counter of exchanges that failed by the endpoint's fault. Labels {@link #POOL}, {@link
    /// #ENDPOINT}.
    public static final String ENDPOINT_FAILURES = "sluice_endpoint_failures_total";

    /// Gauge of the exchanges that an endpoint may run at once; absent without a cap. Labels {@link
    /// #POOL}, {@link #ENDPOINT}.
    public static final String ENDPOINT_SLOTS = "sluice_endpoint_slots";

    /// Gauge of what waits in the engine's own queue, as last read; absent when the engine does not
    /// say. Labels {@link #POOL}, {@link #ENDPOINT}.
    public static final String ENDPOINT_WAITING = "sluice_endpoint_waiting";

    /// Gauge of how full the engine's KV cache is, 0 to 1, as last read; absent when the engine
    /// does not say. Labels {@link #POOL}, {@link #ENDPOINT}.
    public static final String ENDPOINT_KV_USAGE = "sluice_endpoint_kv_usage_ratio";

    /// Gauge of the time since the engine's own metrics were last read; absent before the first
    /// time. Labels {@link #POOL}, {@link #ENDPOINT}.
    public static final String ENDPOINT_SIGNAL_AGE = "sluice_endpoint_signal_age_seconds";

    /// Counter of picks. Labels {@link #POLICY}, {@link #REASON}.
    public static final String PICKS = "sluice_picks_total";

    /// Counter of exchanges. Label {@link #OUTCOME}.
    public static final String ATTEMPTS = "sluice_attempts_total";

    /// Counter of calls that the client left. Label {@link #PHASE}.
    public static final String CANCELLED = "sluice_cancelled_total";

    /// Info. Label {@link #VERSION}.
    public static final String BUILD_INFO = "sluice_build_info";

    /// Counter. Label {@link #RESULT}: `applied`, `unchanged`, `needs_restart` or `rejected`.
    public static final String CONFIG_RELOADS = "sluice_config_reloads_total";

    /// Gauge, 1 when the configuration read last could be used, else 0.
    public static final String CONFIG_LAST_RELOAD_SUCCESS = "sluice_config_last_reload_success";

    /// Gauge, seconds since the epoch.
    public static final String CONFIG_LAST_RELOAD_SUCCESS_TIME =
            "sluice_config_last_reload_success_timestamp_seconds";

    /// Gauge, 1 while the endpoints found are those that DNS or Kubernetes names, 0 while the last
    /// known ones are kept because nobody answers, or none was found yet; absent for a pool that
    /// does not look for any. Label {@link #POOL}.
    public static final String DISCOVERY_FRESH = "sluice_discovery_fresh";

    /// Counter of lines that the access log lost: its queue was full, or its file could not be
    /// written.
    public static final String ACCESS_LOG_DROPPED = "sluice_access_log_dropped_total";

    /// Counter of traced calls whose spans were lost: the queue was full, or nobody took them.
    public static final String TRACES_DROPPED = "sluice_traces_dropped_total";

    /// Histogram of how late an event loop ran what was due. Label {@link #LOOP}.
    public static final String EVENT_LOOP_LAG = "sluice_event_loop_lag_seconds";

    /// Counter of client connections closed against their client's will. Label {@link #REASON}:
    /// `max_connections`, `max_per_address`, `slow_head`, `slow_body`, `long_body`, `stalled`.
    public static final String CONNECTIONS_CLOSED = "sluice_connections_closed_total";

    /// Gauge of client connections now open.
    public static final String CONNECTIONS = "sluice_connections";

    /// Gauge of the client connections that may be open at once.
    public static final String CONNECTIONS_MAX = "sluice_connections_max";

    /// Gauge, seconds since the epoch: when the certificate that is served ends; absent without
    /// TLS.
    public static final String CERTIFICATE_EXPIRY = "sluice_certificate_expiry_timestamp_seconds";

    /// Gauge, share of what may be used. Label {@link #AREA}: `heap` after its last collection,
    /// `direct` as reserved for buffers.
    public static final String MEMORY_USED = "sluice_memory_used_ratio";

    /// Gauge: 0 none, 1 sheddable calls are refused, 2 connections end with their call, 3 all calls
    /// are refused.
    public static final String MEMORY_PRESSURE = "sluice_memory_pressure";

    /// Gauge of the bytes of request bodies that are held.
    public static final String REQUEST_BODIES = "sluice_request_bodies_bytes";

    // The autoscaler.

    /// Counter of looks. Labels {@link #POOL}, {@link #DIRECTION} (`up`, `down` or `hold`), {@link
    /// #REASON}.
    public static final String SCALE_DECISIONS = "sluice_scale_decisions_total";

    /// Gauge. Label {@link #POOL}.
    public static final String DESIRED_REPLICAS = "sluice_desired_replicas";

    /// Gauge. Labels {@link #POOL}, {@link #STATE}: `ready`, `starting`, `draining`, `crashed`,
    /// `blocked`.
    public static final String CURRENT_REPLICAS = "sluice_current_replicas";

    /// Gauge of the replicas that the signals ask for, before limits. Label {@link #POOL}.
    public static final String NEEDED_REPLICAS = "sluice_needed_replicas";

    /// Gauge of the fewest replicas that the configuration allows. Label {@link #POOL}.
    public static final String MIN_REPLICAS = "sluice_min_replicas";

    /// Gauge of the most replicas that the configuration allows. Label {@link #POOL}.
    public static final String MAX_REPLICAS = "sluice_max_replicas";

    /// Gauge: how often the direction of scaling turned within ten minutes, in the last hour. Label
    /// {@link #POOL}.
    public static final String SCALE_REVERSALS = "sluice_scale_reversals";

    /// Summary of the time from a replica's start to ready, quantiles 0.5 and 0.99; absent before
    /// the first start was seen. Label {@link #POOL}.
    public static final String COLD_START = "sluice_cold_start_seconds";

    /// Gauge: 1 while the condition holds, else 0. Labels {@link #POOL}, {@link #CONDITION}.
    public static final String SCALE_CONDITION = "sluice_scale_condition";

    /// Gauge: 1 while this process may act, 0 while another holds the lease or none can.
    public static final String SCALE_LEADER = "sluice_scale_leader";

    // Labels.

    /// The interface, as `chat` or `embeddings`.
    public static final String OPERATION = "gen_ai_operation_name";

    /// A served model, else `other`.
    public static final String MODEL = "gen_ai_request_model";

    /// `input` or `output`.
    public static final String TOKEN_TYPE = "gen_ai_token_type";

    /// `2xx` to `5xx`, or `cancelled` when the client left before a status.
    public static final String CODE_CLASS = "code_class";

    /// The code of the refusal, as in the error's body.
    public static final String CODE = "code";

    /// The number of an event loop.
    public static final String LOOP = "loop";

    public static final String AREA = "area";
    public static final String POOL = "pool";

    /// What stands out at a pool's scaling, as `SignalsStale`.
    public static final String CONDITION = "condition";

    public static final String ENDPOINT = "endpoint";
    public static final String STATE = "state";
    public static final String POLICY = "policy";
    public static final String REASON = "reason";
    public static final String OUTCOME = "outcome";
    public static final String PHASE = "phase";
    public static final String RESULT = "result";
    public static final String DIRECTION = "direction";
    public static final String VERSION = "version";

    private MetricNames() {}
}
