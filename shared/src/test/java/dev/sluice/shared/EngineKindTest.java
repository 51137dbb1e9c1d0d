package dev.sluice.shared;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EngineKindTest {

    @Test
    void sumsQueuesAndTakesTheFullestCacheOverVllmRanks() {
        EngineLoad load =
                EngineKind.VLLM.read(
                        """
                        # HELP vllm:num_requests_running Number of requests in model execution batches.
                        # TYPE vllm:num_requests_running gauge
                        vllm:num_requests_running{engine="0",model_name="m"} 3.0
                        vllm:num_requests_running{engine="1",model_name="m"} 4.0
                        vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
                        vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
                        vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
                        vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
                        vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
                        vllm:num_preemptions_total{engine="0",model_name="m"} 2.0
                        vllm:num_preemptions_created{engine="0",model_name="m"} 1.7e+09
                        """);
        assertThat(load).isEqualTo(new EngineLoad(7.0, 1.0, 0.75, 2.0));
    }

    @Test
    void readsTheOlderNameOfVllmsCache() {
        assertThat(EngineKind.VLLM.read("vllm:gpu_cache_usage_perc 0.5\n").kvUsage())
                .isEqualTo(0.5);
    }

    @Test
    void countsSglangsQueueOnceAndOneTensorRank() {
        EngineLoad load =
                EngineKind.SGLANG.read(
                        """
                        sglang:num_running_reqs{dp_rank="0",tp_rank="0"} 5
                        sglang:num_running_reqs{dp_rank="1",tp_rank="0"} 6
                        sglang:num_running_reqs{dp_rank="0",tp_rank="1"} 5
                        sglang:num_queue_reqs{dp_rank="0",tp_rank="0",priority=""} 4
                        sglang:num_queue_reqs{dp_rank="0",tp_rank="0",priority="1"} 4
                        sglang:token_usage{dp_rank="0",tp_rank="0"} 0.1
                        sglang:token_usage{dp_rank="1",tp_rank="0"} 0.4
                        """);
        assertThat(load).isEqualTo(new EngineLoad(11.0, 4.0, 0.4, null));
    }

    @Test
    void readsTheOthers() {
        assertThat(
                        EngineKind.LLAMACPP.read(
                                "llamacpp:requests_processing 2\nllamacpp:requests_deferred 7\n"))
                .isEqualTo(new EngineLoad(2.0, 7.0, null, null));
        assertThat(EngineKind.TGI.read("tgi_queue_size 3\ntgi_batch_current_size 8\n"))
                .isEqualTo(new EngineLoad(8.0, 3.0, null, null));
        assertThat(
                        EngineKind.TRITON.read(
                                """
                                nv_trt_llm_request_metrics{model="t",request_type="waiting"} 3
                                nv_trt_llm_request_metrics{model="t",request_type="scheduled"} 9
                                nv_trt_llm_request_metrics{model="t",request_type="max"} 64
                                nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction"} 0.5
                                nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used"} 77
                                """))
                .isEqualTo(new EngineLoad(9.0, 3.0, 0.5, null));
        assertThat(EngineKind.TRITON.read("nv_inference_pending_request_count{model=\"m\"} 4\n"))
                .isEqualTo(new EngineLoad(null, 4.0, null, null));
        assertThat(
                        EngineKind.TRTLLM.read(
                                """
                                trtllm_num_requests_running 1
                                trtllm_num_requests_waiting 2
                                trtllm_kv_cache_utilization 0.3
                                """))
                .isEqualTo(new EngineLoad(1.0, 2.0, 0.3, null));
    }

    @Test
    void takesAbsentAndUnreadableAsUnknownNeverAsZero() {
        assertThat(EngineKind.VLLM.read("")).isEqualTo(EngineLoad.NONE);
        assertThat(EngineKind.VLLM.read("<html>no</html>")).isEqualTo(EngineLoad.NONE);
        assertThat(
                        EngineKind.VLLM.read(
                                """
                                vllm:num_requests_running NaN
                                vllm:num_requests_waiting +Inf
                                vllm:kv_cache_usage_perc{engine="0
                                vllm:num_preemptions_total
                                """))
                .isEqualTo(EngineLoad.NONE);
        assertThat(EngineKind.PLAIN.read("vllm:num_requests_running 1")).isEqualTo(EngineLoad.NONE);
    }

    @Test
    void readsEscapedLabelsAndTimestamps() {
        assertThat(
                        EngineKind.VLLM
                                .read(
                                        "vllm:num_requests_running{a=\"x\\\"}, y\",b=\"\"} 2"
                                                + " 1700000000\r\n")
                                .running())
                .isEqualTo(2.0);
    }
}
