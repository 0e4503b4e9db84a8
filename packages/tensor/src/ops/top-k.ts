/**
 * The k largest values of each row with their positions, in falling order; equal values in order of position. Round by round, the team of
 * the row finds the best element after the last one taken: k passes over a row that stays in cache.
 */
import { isFloat } from '../dtype';
import { opError } from '../errors';
import { type Op, record, type Tensor } from '../graph';
import { kernelBuilder } from '../kernel';
import { rowKernel } from '../row-kernel';
import { showShape } from '../shape';
import { add } from './elementwise';
import { scatterAddRows } from './gather';
import { rowsOf } from './softmax';
import { constant } from './sources';
import { reshape } from './views';

interface TopKAttrs {
  readonly k: number;
}

const topKOp: Op<TopKAttrs> = {
  name: 'topK',
  infer([x], { k }) {
    const columns = x!.shape.at(-1) ?? 0;
    if (!isFloat(x!.dtype)) opError('dtype', 'topK', `needs floats, got ${x!.dtype}`);
    if (!(Number.isInteger(k) && k >= 1 && k <= columns))
      opError('argument', 'topK', `k = ${k} must lie between 1 and the row length of ${showShape(x!.shape)}`);
    const shape = [...x!.shape.slice(0, -1), k];
    return [
      { shape, dtype: x!.dtype },
      { shape, dtype: 'u32' },
    ];
  },
  reference([x], { k }) {
    const columns = x!.shape.at(-1)!;
    const rows = x!.data.length / columns;
    const values = new Float64Array(rows * k);
    const indices = new Float64Array(rows * k);
    for (let r = 0; r < rows; r++) {
      const row = x!.data.subarray(r * columns, (r + 1) * columns);
      const order = Array.from(row, (_, i) => i).sort((a, b) => row[b]! - row[a]! || a - b);
      for (let i = 0; i < k; i++) {
        indices[r * k + i] = order[i]!;
        values[r * k + i] = row[order[i]!]!;
      }
    }
    return [values, indices];
  },
  gradient({ inputs: [x], outputs: [, indices], attrs: { k }, grads }) {
    if (!grads[0]) return [undefined];
    const { rows, columns } = rowsOf(x!);
    const starts = constant(
      Float64Array.from({ length: rows }, (_, r) => r * columns),
      [rows, 1],
      'u32',
    );
    const flat = reshape(add(reshape(indices!, [rows, k]), starts), [rows * k]);
    return [reshape(scatterAddRows(reshape(grads[0], [rows * k, 1]), flat, rows * columns), x!.shape)];
  },
  lower({ inputs: [x], outputs: [values, indices], attrs: { k }, target }) {
    const { rows, columns } = rowsOf(x!);
    const b = kernelBuilder('topK', target);
    const X = b.read(x!);
    const [V, I] = [b.write(values!), b.write(indices!)];
    const [n, kk] = [b.uniform(columns), b.uniform(k)];
    // positions pass through rowMin as floats, exact below 2^24; larger rows are searched in two digits
    const body = `
  let base = row * ${n};
  var last = 3.4028234e38; var lastAt = 0u; var first = true;
  for (var i = 0u; i < ${kk}; i++) {
    var best = -3.4028234e38; var at = ${n};
    for (var c = lane; c < ${n}; c += LANES) {
      let v = f32(${X}[base + c]);
      let free = first || v < last || (v == last && c > lastAt);
      if (free && (v > best || at == ${n})) { best = v; at = c; }
    }
    let top = rowMax(select(best, -3.4028234e38, at == ${n}));
    let mine = at < ${n} && best == top;
    let high = rowMin(select(16777216.0, f32(at >> 12u), mine));
    let low = rowMin(select(16777216.0, f32(at & 4095u), mine && f32(at >> 12u) == high));
    last = top; lastAt = (u32(high) << 12u) | u32(low); first = false;
    if (lane == 0u) { ${V}[row * ${kk} + i] = ${x!.dtype}(last); ${I}[row * ${kk} + i] = lastAt; }
  }`;
    return [rowKernel(b, { body, rows, steps: columns, flops: rows * columns * k })];
  },
};

/** The k largest of each row of x [.., n]: values and u32 positions, both [.., k]. NaN is never chosen before a number. */
export function topK(x: Tensor, k: number): { readonly values: Tensor; readonly indices: Tensor } {
  const [values, indices] = record(topKOp, [x], { k });
  return { values: values!, indices: indices! };
}

/** Position (u32) of the largest element of each row of x [.., n] -> [..]; the first at a tie. */
export function argmax(x: Tensor): Tensor {
  const { indices } = topK(x, 1);
  return reshape(indices, indices.shape.slice(0, -1));
}
