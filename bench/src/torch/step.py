"""A pretraining step of Franca in plain PyTorch: the weights, the batch and the settings that the engine's step has, for comparison.

python3 step.py <folder> [--device cuda] [--steps n]: reads step.json and step.bin, prints one line of JSON with losses and times.
"""
import argparse
import json
import math
import os
import time

import torch
import torch.nn.functional as F

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("--device", default="cpu")
arguments.add_argument("--steps", type=int, default=5)
arguments = arguments.parse_args()
device = torch.device(arguments.device)

with open(os.path.join(arguments.folder, "step.json")) as file:
    step = json.load(file)
options, knobs = step["options"], step["knobs"]
vit_options, heads = options["vit"], options["heads"]
half = options["precision"] == "f16" and device.type == "cuda"

with open(os.path.join(arguments.folder, "step.bin"), "rb") as file:
    flat = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


def tensors(group):
    """Named tensors of a group, on the device."""
    return {
        name: flat[offset : offset + math.prod(shape)].reshape(shape).to(device, copy=True)
        for name, shape, offset in step["tensors"][group]
    }


student = {name: value.requires_grad_() for name, value in tensors("student").items()}
teacher = tensors("teacher")
batch = tensors("batch")
masks = batch["masks"].bool()
mask_indices = batch["maskIndices"].long()
b = options["batch"]["perDevice"]


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])


def norm(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"], 1e-6)


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


def attention(p, name, x):
    B, N, D = x.shape
    q, k, v = linear(p, f"{name}.qkv", x).reshape(B, N, 3, vit_options["numHeads"], -1).permute(2, 0, 3, 1, 4)
    if hasattr(F, "scaled_dot_product_attention"):
        y = F.scaled_dot_product_attention(q, k, v)
    else:
        y = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
    return linear(p, f"{name}.proj", y.transpose(1, 2).reshape(B, N, D))


def feed_forward(p, name, x):
    if vit_options["ffnLayer"] == "mlp":
        return linear(p, f"{name}.fc2", F.gelu(linear(p, f"{name}.fc1", x)))
    gate, value = linear(p, f"{name}.w12", x).chunk(2, -1)
    return linear(p, f"{name}.w3", F.silu(gate) * value)


def residual(x, rows, branch):
    """x + branch(x), on the kept samples only where some are dropped."""
    if rows is None:
        return x + branch(x)
    rows = rows.long()
    return x.index_add(0, rows, branch(x[rows]).to(x.dtype), alpha=len(x) / len(rows))


def vit(p, images, which=None, masks=None):
    """Normalised tokens [B, 1 + N, D]; `which` crops these are, where samples are dropped."""
    size, R = vit_options["patchSize"], vit_options["numRegisterTokens"]
    x = F.conv2d(images, p["backbone.patch_embed.proj.weight"], p["backbone.patch_embed.proj.bias"], stride=size)
    h, w = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2)
    if masks is not None:
        x = torch.where(masks[..., None], p["backbone.mask_token"].to(x.dtype), x)
    x = torch.cat([p["backbone.cls_token"].expand(len(x), -1, -1).to(x.dtype), x], 1) + positions(p, h, w)
    if R > 0:
        x = torch.cat([x[:, :1], p["backbone.register_tokens"].expand(len(x), -1, -1), x[:, 1:]], 1)
    for i in range(vit_options["depth"]):
        for part, normed, scale, branch in (("attn", "norm1", "ls1", attention), ("mlp", "norm2", "ls2", feed_forward)):
            name = f"backbone.blocks.{i}"
            gamma = p.get(f"{name}.{scale}.gamma", 1.0)
            kept = batch.get(f"kept.{i}.{'attention' if part == 'attn' else 'ffn'}.{which}")
            x = residual(x, kept, lambda y: branch(p, f"{name}.{part}", norm(p, f"{name}.{normed}", y)) * gamma)
    return norm(p, "backbone.norm", x)[:, [0, *range(1 + R, x.shape[1])]] if R > 0 else norm(p, "backbone.norm", x)


def head_logits(p, name, x):
    """Logits of every level of a head for tokens [R, D]."""
    head = heads["ibot" if name == "ibot_head" else "dino"]
    matryoshka = head["kind"] == "matryoshka"
    logits = []
    for i, level in enumerate(head["levels"]):
        z = x[:, : level["width"]] if head["nesting"] == "slice" else x
        if matryoshka:
            z = linear(p, f"{name}.matryoshka_projections.{i}", z)
        mlp = f"{name}.mlps.{i}" if matryoshka else f"{name}.mlp"
        for layer in range(head["layers"]):
            z = linear(p, f"{mlp}.{2 * layer}", z)
            if layer < head["layers"] - 1 or matryoshka:
                z = F.gelu(z)
        if not matryoshka:
            z = F.normalize(z, dim=-1)
        last = f"{name}.last_layers.{i}" if matryoshka else f"{name}.last_layer"
        v, g = p[f"{last}.weight_v"], p[f"{last}.weight_g"]
        logits.append(F.linear(z, g * v / v.norm(dim=1, keepdim=True)).float())
    return logits


def sinkhorn(logits):
    logits = logits / knobs["teacherTemp"]
    u = logits.new_zeros(len(logits), 1)
    for _ in range(3):
        w = -torch.logsumexp(logits + u, 0, keepdim=True)
        u = -torch.logsumexp(logits + w, 1, keepdim=True)
    return (logits + u + w).exp()


def cross_entropy(targets, logits):
    return -(targets * F.log_softmax(logits / 0.1, -1)).sum(-1)


def koleo(x):
    x = F.normalize(x.float(), dim=-1, eps=1e-8)
    nearest = (x @ x.T).detach().fill_diagonal_(-1).argmax(1)
    return -(F.pairwise_distance(x, x[nearest], eps=1e-8) + 1e-8).log().mean()


def losses():
    patches_head = "ibot_head" if heads.get("ibot") else "dino_head"
    with torch.no_grad():
        seen = vit(teacher, batch["globalCrops"])
        cls = torch.cat([seen[b:, 0], seen[:b, 0]])
        dino_targets = [sinkhorn(x) for x in head_logits(teacher, "dino_head", cls)]
        masked = seen[:, 1:].flatten(0, 1)[mask_indices]
        ibot_targets = [sinkhorn(x) for x in head_logits(teacher, patches_head, masked)]
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
    return torch.optim.AdamW(parameters, betas=options["adamW"]["betas"])


optimizer = make_optimizer()
clip_groups = {}
for name, value in student.items():
    clip_groups.setdefault(name.split(".")[0], []).append(value)
scale = 2.0**16 if half else 1.0


def train_step():
    with torch.autocast("cuda", torch.float16, enabled=half):
        loss = losses()
    optimizer.zero_grad(set_to_none=True)
    (loss * scale).backward()
    for own in clip_groups.values():
        with_gradients = [value for value in own if value.grad is not None]
        if half:
            torch._foreach_div_([value.grad for value in with_gradients], scale)
        if options["adamW"]["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(with_gradients, options["adamW"]["clip"])
    optimizer.step()
    with torch.no_grad():
        own = list(teacher.values())
        torch._foreach_mul_(own, knobs["momentum"])
        torch._foreach_add_(own, [value.detach() for value in student.values()], alpha=1 - knobs["momentum"])
    return float(loss.detach())


found = [train_step() for _ in range(3)]
wall, processor = [], []
for _ in range(arguments.steps):
    began, used = time.perf_counter(), time.process_time()
    train_step()
    wall.append(1000 * (time.perf_counter() - began))
    processor.append(1000 * (time.process_time() - used))
middle = arguments.steps // 2
name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
report = {"losses": found, "milliseconds": sorted(wall)[middle], "processor": sorted(processor)[middle]}
print(json.dumps({**report, "version": torch.__version__, "threads": torch.get_num_threads(), "device": name}))
