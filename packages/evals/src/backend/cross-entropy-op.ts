/**
 * The op of linear grids: cross-entropy of many classifiers on shared targets, with its gradient. One kernel gives
 * both. Logits are `[n, heads * C]`: each row holds one group of `C` logits per head, and all of them have the row's
 * label `t`. With `p = softmax(z)`,
 *
 *   loss = -log p_t,   d loss / d z_c = p_c - [c = t],
 *
 * both times `share`, which is 1 / targets for a mean. A team of lanes goes over each group three times: largest logit,
 * sum of exponentials, gradient. Of few classes, on a software adapter, one lane alone does: reductions over a team cost
 * more than the group. Rows whose label is not one of the `C` classes get zeros.
 */
import { kernelBuilder, type Op, record, rowKernel, type Tensor } from '@franca/tensor';

const FEW_CLASSES = 16;

interface CrossEntropyAttrs {
  readonly classes: number;
}

const crossEntropyOp: Op<CrossEntropyAttrs> = {
  name: 'crossEntropy',
  infer: ([logits], { classes }) => [
    { shape: [logits!.shape[0]!, logits!.shape[1]! / classes], dtype: 'f32' },
    { shape: logits!.shape, dtype: 'f32' },
  ],
  reference([logits, labels, share], { classes }) {
    const [n, width] = logits!.shape as [number, number];
    const heads = width / classes;
    const losses = new Float64Array(n * heads);
    const gradient = new Float64Array(n * width);
    for (let group = 0; group < losses.length; group++) {
      const label = labels!.data[Math.floor(group / heads)]!;
      if (label < 0 || label >= classes) continue;
      const z = logits!.data.subarray(group * classes, (group + 1) * classes);
      const top = z.reduce((a, b) => Math.max(a, b));
      const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
      losses[group] = (Math.log(total) + top - z[label]!) * share!.data[0]!;
      z.forEach((value, c) => {
        gradient[group * classes + c] = (Math.exp(value - top) / total - Number(c === label)) * share!.data[0]!;
      });
    }
    return [losses, gradient];
  },
  lower({ inputs: [logits, labels, share], outputs: [losses, gradient], attrs: { classes }, target }) {
    const [n, width] = logits!.shape as [number, number];
    const b = kernelBuilder('crossEntropy', target);
    const [Z, T, S] = [b.read(logits!), b.read(labels!), b.read(share!)];
    const [L, G] = [b.write(losses!), b.write(gradient!)];
    const [heads, count] = [b.uniform(width / classes), b.uniform(classes)];
    const each = (body: string): string => `for (var c = lane; c < ${count}; c += LANES) { ${body} }`;
    // as u32 a negative label is a large one
    const body = `
  let label = u32(${T}[row / ${heads}]);
  let counts = label < ${count};
  let base = row * ${count};
  var high = -3.4028234e38;
  ${each(`high = max(high, ${Z}[base + c]);`)}
  let top = rowMax(high);
  var part = 0.0;
  ${each(`part += exp(${Z}[base + c] - top);`)}
  let total = rowSum(part);
  ${each(`${G}[base + c] = select(0.0, (exp(${Z}[base + c] - top) / total - f32(c == label)) * ${S}[0], counts);`)}
  if (lane == 0u) {
    let own = ${Z}[base + min(label, ${count} - 1u)];
    ${L}[row] = select(0.0, (log(total) + (top - own)) * ${S}[0], counts);
  }`;
    const rows = (n * width) / classes;
    return [rowKernel(b, { body, rows, steps: classes, flops: 8 * n * width, alone: classes <= FEW_CLASSES })];
  },
};

export interface CrossEntropy {
  /** Loss of each row and head `[n, heads]`. */
  readonly losses: Tensor;
  /** Gradient of their sum with respect to the logits `[n, heads * C]`. */
  readonly gradient: Tensor;
}

/** Loss and gradient of `logits` `[n, heads * classes]` at `labels` i32 `[n]`, times the scalar `share`. */
export function crossEntropy(
  logits: Tensor,
  targets: { readonly labels: Tensor; readonly share: Tensor },
  classes: number,
): CrossEntropy {
  const [losses, gradient] = record(crossEntropyOp, [logits, targets.labels, targets.share], { classes });
  return { losses: losses!, gradient: gradient! };
}
