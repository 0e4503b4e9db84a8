"""What a device reaches with vendor libraries: copying, matrix products (cuBLAS on NVIDIA), attention (scaled_dot_product_attention).

python3 ceilings.py <input.json> [--device auto]: prints one line of JSON. Input, all parts optional:
  {"copyBytes": n, "repeats": n, "dtypes": ["f16", "bf16"],
   "products": [{"m", "n", "k", "transA", "transB", "batch", "count"}], "attention": [{"batch", "heads", "tokens", "width", "count"}]}
Each entry comes back with its median milliseconds and rate, or with its error. transA: A is stored [k, m]; transB: B is stored [n, k].
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

arguments = argparse.ArgumentParser()
arguments.add_argument("input")
arguments.add_argument("--device", default="auto")
arguments = arguments.parse_args()
chosen = arguments.device
device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if chosen == "auto" else chosen)
cuda = device.type == "cuda"
DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
torch.backends.cuda.matmul.allow_tf32 = False

with open(arguments.input) as file:
    asked = json.load(file)
repeats = asked.get("repeats", 20)


def timed(run, count):
    """Milliseconds of `count` runs in a row, between two events on the clock of a card."""
    if not cuda:
        began = time.perf_counter()
        for _ in range(count):
            run()
        return 1000 * (time.perf_counter() - began)
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(count):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def milliseconds(run):
    """Median time of a run; short ones are timed many at once, so that what it costs to start one is hidden as it is in a step."""
    timed(run, 3)
    count = max(1, min(100, int(2 / timed(run, 1))))
    return sorted(timed(run, count) / count for _ in range(repeats))[repeats // 2]


def copy():
    count = asked.get("copyBytes", 2**30 if cuda else 2**27) // 4
    source, target = torch.ones(count, device=device), torch.empty(count, device=device)
    took = milliseconds(lambda: target.copy_(source))
    return {"bytes": 8 * count, "milliseconds": took, "gigabytesPerSecond": 8e-6 * count / took}


def product(entry, dtype):
    m, n, k, count = entry["m"], entry["n"], entry["k"], entry.get("batch", 1)

    def matrix(rows, columns, transposed):
        shape = (columns, rows) if transposed else (rows, columns)
        values = torch.randn(*((count,) if count > 1 else ()), *shape, device=device).to(DTYPES[dtype])
        return values.transpose(-2, -1) if transposed else values

    a, b = matrix(m, k, entry.get("transA", False)), matrix(k, n, entry.get("transB", False))
    multiply = torch.bmm if count > 1 else torch.mm
    took = milliseconds(lambda: multiply(a, b))
    return {"milliseconds": took, "teraflops": 2e-9 * count * m * n * k / took}


def attention(entry, dtype):
    """Forward is two products, backward five (q k again among them): 4 and 10 B H N^2 d flops."""
    shape = entry["batch"], entry["heads"], entry["tokens"], entry["width"]
    q, k, v, g = (torch.randn(*shape, device=device).to(DTYPES[dtype]).requires_grad_(i < 3) for i in range(4))
    forward = milliseconds(lambda: F.scaled_dot_product_attention(q, k, v))
    y = F.scaled_dot_product_attention(q, k, v)
    backward = milliseconds(lambda: torch.autograd.grad(y, (q, k, v), g, retain_graph=True))
    work = 1e-9 * shape[0] * shape[1] * shape[2] ** 2 * shape[3]
    return {
        "forwardMilliseconds": forward,
        "forwardTeraflops": 4 * work / forward,
        "backwardMilliseconds": backward,
        "backwardTeraflops": 10 * work / backward,
    }


def attempt(measure, entry, **kind):
    try:
        return {**entry, **kind, **measure(entry, **kind)}
    except Exception as error:
        return {**entry, **kind, "error": str(error).split("\n")[0]}


dtypes = asked.get("dtypes", ["f16", "bf16"])
report = {
    "device": torch.cuda.get_device_name() if cuda else "cpu",
    "version": torch.__version__,
    "cuda": torch.version.cuda if cuda else None,
    "threads": torch.get_num_threads(),
    "repeats": repeats,
    "copy": attempt(lambda _: copy(), {}),
    "products": [attempt(product, entry, dtype=dtype) for entry in asked.get("products", []) for dtype in dtypes],
    "attention": [attempt(attention, entry, dtype=dtype) for entry in asked.get("attention", []) for dtype in dtypes],
}
print(json.dumps(report))
