"""A pretraining step of Franca in plain PyTorch: the weights, the batch and the settings that the engine's step has, for comparison.

python3 step.py <folder> [--device auto] [--steps n] [--variant eager|compiled]: reads step.json and step.bin, prints one line of JSON with losses and times.
`compiled` puts the residual branches, the heads, the targets and the losses through torch.compile, and AdamW is the fused one.
"""
import argparse
import contextlib
import json
import math
import os
import time

import torch
import torch.nn.functional as F

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("--device", default="auto")
arguments.add_argument("--steps", type=int, default=5)
arguments.add_argument("--variant", choices=["eager", "compiled"], default="eager")
arguments = arguments.parse_args()
chosen = arguments.device
device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if chosen == "auto" else chosen)
cuda = device.type == "cuda"
compiled = arguments.variant == "compiled"

with open(os.path.join(arguments.folder, "step.json")) as file:
    step = json.load(file)
options, knobs = step["options"], step["knobs"]
vit_options, heads = options["vit"], options["heads"]
half = options["precision"] == "f16"
# products of f32 in f32, as the engine's
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

if compiled:
    if not hasattr(torch, "compile"):
        raise SystemExit(f"PyTorch {torch.__version__} has no torch.compile")
    import torch._dynamo

    # past it shapes would run uncompiled
    torch._dynamo.config.cache_size_limit = 64


def maybe_compile(dynamic):
    """One graph for all shapes where `dynamic`: each of them compiles for seconds."""
    return torch.compile(dynamic=dynamic) if compiled else lambda function: function


# the file stays where it is: tensors are read as they are asked for
path = os.path.join(arguments.folder, "step.bin")
flat = torch.from_file(path, shared=False, size=os.path.getsize(path) // 4, dtype=torch.float32)


def tensors(group):
    """Named tensors of a group, on the device."""
    return {
        name: flat[offset : offset + math.prod(shape)].reshape(shape).to(device, copy=True)
        for name, shape, offset in step["tensors"][group]
    }


student = {name: value.requires_grad_() for name, value in tensors("student").items()}
teacher = tensors("teacher")
batch = {name: value.long() if name.startswith("kept.") else value for name, value in tensors("batch").items()}
masks = batch["masks"].bool()
mask_indices = batch["maskIndices"].long()
b = options["batch"]["perDevice"]


def autocast(enabled):
    return torch.autocast(device.type, torch.float16, enabled=enabled) if half else contextlib.nullcontext()


def pair(p, name):
    return p[f"{name}.weight"], p[f"{name}.bias"]


def positions(p, h, w):
    table = p["backbone.pos_embed"]
    M = math.isqrt(table.shape[1] - 1)
    if h == M and w == M:
        return table
    patches = table[:, 1:].reshape(1, M, M, -1).permute(0, 3, 1, 2)
    offset = vit_options["interpolateOffset"]
    scale = ((h + offset) / M, (w + offset) / M)
    antialias = vit_options["interpolateAntialias"]
    patches = F.interpolate(patches, scale_factor=scale, mode="bicubic", antialias=antialias)
    return torch.cat([table[:, :1], patches.permute(0, 2, 3, 1).reshape(1, h * w, -1)], 1)


def attention(x, qkv, proj):
    B, N, D = x.shape
    q, k, v = F.linear(x, *qkv).reshape(B, N, 3, vit_options["numHeads"], -1).permute(2, 0, 3, 1, 4)
    if hasattr(F, "scaled_dot_product_attention"):
        y = F.scaled_dot_product_attention(q, k, v)
    else:
        y = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
    return F.linear(y.transpose(1, 2).reshape(B, N, D), *proj)


def mlp(x, first, second):
    return F.linear(F.gelu(F.linear(x, *first)), *second)


def swiglu(x, first, second):
    gate, value = F.linear(x, *first).chunk(2, -1)
    return F.linear(F.silu(gate) * value, *second)


@maybe_compile(dynamic=False)
def residual(x, kept, branch, norm, first, second, gamma):
    """x + gamma branch(norm(x)), on the kept samples only where some are dropped."""
    seen = x if kept is None else x[kept]
    y = branch(F.layer_norm(seen, seen.shape[-1:], *norm, 1e-6), first, second) * gamma
    return x + y if kept is None else x.index_add(0, kept, y.to(x.dtype), alpha=len(x) / len(kept))


def vit(p, images, which=None, masks=None):
    """Normalised tokens [B, 1 + N, D]; `which` crops these are, where samples are dropped."""
    size, R = vit_options["patchSize"], vit_options["numRegisterTokens"]
    x = F.conv2d(images, *pair(p, "backbone.patch_embed.proj"), stride=size)
    h, w = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2)
    if masks is not None:
        x = torch.where(masks[..., None], p["backbone.mask_token"].to(x.dtype), x)
    x = torch.cat([p["backbone.cls_token"].expand(len(x), -1, -1).to(x.dtype), x], 1) + positions(p, h, w)
    if R > 0:
        x = torch.cat([x[:, :1], p["backbone.register_tokens"].expand(len(x), -1, -1), x[:, 1:]], 1)
    gated = vit_options["ffnLayer"] != "mlp"
    for i in range(vit_options["depth"]):
        block = f"backbone.blocks.{i}"
        for part, kind, n, branch, first, second in (
            ("attn", "attention", 1, attention, "qkv", "proj"),
            ("mlp", "ffn", 2, *((swiglu, "w12", "w3") if gated else (mlp, "fc1", "fc2"))),
        ):
            own = pair(p, f"{block}.norm{n}"), pair(p, f"{block}.{part}.{first}"), pair(p, f"{block}.{part}.{second}")
            x = residual(x, batch.get(f"kept.{i}.{kind}.{which}"), branch, *own, p.get(f"{block}.ls{n}.gamma", 1.0))
    x = F.layer_norm(x, x.shape[-1:], *pair(p, "backbone.norm"), 1e-6)
    return x[:, [0, *range(1 + R, x.shape[1])]] if R > 0 else x


@maybe_compile(dynamic=True)
def level_logits(z, layers, normalise, v, g):
    """Logits [R, K] of a level: linear layers with GELU between them, then weight-normalised prototypes."""
    for i, layer in enumerate(layers):
        z = F.linear(z, *layer)
        if i < len(layers) - 1 or not normalise:
            z = F.gelu(z)
    if normalise:
        z = F.normalize(z, dim=-1)
    return F.linear(z, g * v / v.norm(dim=1, keepdim=True)).float()


def head_logits(p, name, x):
    """Logits of every level of a head for tokens [R, D]."""
    head = heads["ibot" if name == "ibot_head" else "dino"]
    matryoshka = head["kind"] == "matryoshka"
    logits = []
    for i, level in enumerate(head["levels"]):
        z = x[:, : level["width"]] if head["nesting"] == "slice" else x
        if matryoshka:
            z = F.linear(z, *pair(p, f"{name}.matryoshka_projections.{i}"))
        mlp_name = f"{name}.mlps.{i}" if matryoshka else f"{name}.mlp"
        layers = [pair(p, f"{mlp_name}.{2 * layer}") for layer in range(head["layers"])]
        last = f"{name}.last_layers.{i}" if matryoshka else f"{name}.last_layer"
        logits.append(level_logits(z, layers, not matryoshka, p[f"{last}.weight_v"], p[f"{last}.weight_g"]))
    return logits


@maybe_compile(dynamic=True)
def sinkhorn(logits, temperature):
    logits = logits / temperature
    u = logits.new_zeros(len(logits), 1)
    for _ in range(3):
        w = -torch.logsumexp(logits + u, 0, keepdim=True)
        u = -torch.logsumexp(logits + w, 1, keepdim=True)
    return (logits + u + w).exp()


@maybe_compile(dynamic=True)
def cross_entropy(targets, logits):
    return -(targets * F.log_softmax(logits / 0.1, -1)).sum(-1)


def koleo(x):
    with autocast(False):
        x = F.normalize(x.float(), dim=-1, eps=1e-8)
        nearest = (x @ x.T).detach().fill_diagonal_(-1).argmax(1)
        return -(F.pairwise_distance(x, x[nearest], eps=1e-8) + 1e-8).log().mean()


def losses():
    patches_head = "ibot_head" if heads.get("ibot") else "dino_head"
    with torch.no_grad():
        seen = vit(teacher, batch["globalCrops"])
        cls = torch.cat([seen[b:, 0], seen[:b, 0]])
        dino_targets = [sinkhorn(x, knobs["teacherTemp"]) for x in head_logits(teacher, "dino_head", cls)]
        masked = seen[:, 1:].flatten(0, 1)[mask_indices]
        ibot_targets = [sinkhorn(x, knobs["teacherTemp"]) for x in head_logits(teacher, patches_head, masked)]
    globals_ = vit(student, batch["globalCrops"], "global", masks)
    cls = [globals_[:, 0]]
    if "localCrops" in batch:
        cls.append(vit(student, batch["localCrops"], "local")[:, 0])
    L = options["crops"]["local_crops_number"]
    pairs = max(2 * L, 1) + 2
    dino = 0.0
    for targets, logits in zip(dino_targets, head_logits(student, "dino_head", torch.cat(cls))):
        both = (targets[:b] + targets[b:]).repeat(L, 1)
        own, local = logits.split([2 * b, L * b])
        dino = dino + (cross_entropy(targets, own).sum() + cross_entropy(both, local).sum()) / (b * pairs)
    masked = globals_[:, 1:].flatten(0, 1)[mask_indices]
    ibot = 0.0
    for targets, logits in zip(ibot_targets, head_logits(student, patches_head, masked)):
        ibot = ibot + (cross_entropy(targets, logits) * batch["masksWeight"]).sum() / (2 * b)
    apart = koleo(cls[0][:b]) + koleo(cls[0][b:])
    weights = options["losses"]
    return weights["dino"] * dino + weights["koleo"] * apart + weights["ibot"] * ibot


def make_optimizer():
    groups = {}
    for name, value in student.items():
        rule = step["rules"][name]
        rate = knobs["lastLayerLr" if rule["isLastLayer"] else "lr"] * rule["lrMultiplier"]
        key = (rate, knobs["weightDecay"] * rule["weightDecayMultiplier"])
        groups.setdefault(key, []).append(value)
    parameters = [{"params": own, "lr": lr, "weight_decay": decay} for (lr, decay), own in groups.items()]
    kind = {"fused": True} if compiled else {"foreach": cuda}
    return torch.optim.AdamW(parameters, betas=options["adamW"]["betas"], eps=options["adamW"]["eps"], **kind)


def make_scaler():
    """Starts at 65,536; a step with infinite or NaN gradients is left out and halves it, 2,000 clean ones double it: as the engine does."""
    enabled = {"enabled": half and options["lossScaling"], "init_scale": 65536.0, "growth_interval": 2000}
    if hasattr(torch, "amp") and hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler(device.type, **enabled)
    if half and not cuda:
        raise SystemExit(f"PyTorch {torch.__version__} does not train in f16 on a processor")
    return torch.cuda.amp.GradScaler(**enabled)


optimizer, scaler = make_optimizer(), make_scaler()
clip_groups = {}
for name, value in student.items():
    clip_groups.setdefault(name.split(".")[0], []).append(value)
pairs_of_weights = list(teacher.values()), [student[name].detach() for name in teacher]


def train_step():
    with autocast(True):
        loss = losses()
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    if options["adamW"]["clip"] > 0:
        for own in clip_groups.values():
            torch.nn.utils.clip_grad_norm_([value for value in own if value.grad is not None], options["adamW"]["clip"])
    scaler.step(optimizer)
    scaler.update()
    with torch.no_grad():
        own, follows = pairs_of_weights
        if hasattr(torch, "_foreach_lerp_"):
            torch._foreach_lerp_(own, follows, 1 - knobs["momentum"])
        else:
            torch._foreach_mul_(own, knobs["momentum"])
            torch._foreach_add_(own, follows, alpha=1 - knobs["momentum"])
    return float(loss.detach())


def taken_losses(count):
    """Losses of the steps that were taken: those left out for an overflow change nothing that the next loss depends on."""
    taken, left_out = [], 0
    while len(taken) < count:
        scale = scaler.get_scale()
        loss = train_step()
        if scaler.get_scale() < scale:
            left_out += 1
            if left_out > 20:
                raise SystemExit(f"20 steps overflowed, down to a loss scale of {scale}")
        else:
            taken.append(loss)
    return taken, left_out


began = time.perf_counter()
found, skipped = taken_losses(step["comparedSteps"])
first_seconds = time.perf_counter() - began
wall, processor = [], []
for _ in range(arguments.steps):
    if cuda:
        torch.cuda.synchronize()
    began, used = time.perf_counter(), time.process_time()
    train_step()
    if cuda:
        torch.cuda.synchronize()
    wall.append(1000 * (time.perf_counter() - began))
    processor.append(1000 * (time.process_time() - used))
middle = arguments.steps // 2
report = {
    "losses": found,
    "milliseconds": sorted(wall)[middle],
    "fastest": min(wall),
    "slowest": max(wall),
    "processor": sorted(processor)[middle],
    "firstSeconds": first_seconds,
    "lossScale": scaler.get_scale() if scaler.is_enabled() else None,
    "skipped": skipped,
    "peakBytes": torch.cuda.max_memory_allocated() if cuda else None,
    "reservedBytes": torch.cuda.max_memory_reserved() if cuda else None,
    "precision": "autocast to f16" if half else "f32, no TF32",
    "version": torch.__version__,
    "cuda": torch.version.cuda if cuda else None,
    "threads": torch.get_num_threads(),
    "device": torch.cuda.get_device_name() if cuda else "cpu",
}
print(json.dumps(report))
