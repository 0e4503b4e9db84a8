/**
 * The k largest values of each row with their positions, in falling order; equal values in order of position. Round by round, the team of
 * the row finds the best element after the last one taken: k passes over a row that stays in cache.
 */
import { isFloat } from '../../base/dtype';
import { opError } from '../../base/errors';
import { normaliseAxis, showShape, sizeOf } from '../../base/shape';
import { range } from '../../base/whole-numbers';
import type { Op, Tensor } from '../../graph/op';
import { checkTensor, record, record1 } from '../../graph/record';
import { elementType, kernelBuilder } from '../../kernels/kernel-builder';
import { rowKernel } from '../../kernels/row-kernel';
import { transpose } from '../transpose';
import { reshape } from '../views';
import { rowsOf } from './row-shape';

interface TopKAttrs {
  readonly k: number;
}

/** The lowest finite f32: -infinity and NaN rank with it. */
const LOWEST = -3.4028234663852886e38;

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
      const rank = (i: number) => (Number.isNaN(row[i]) ? LOWEST : Math.max(row[i]!, LOWEST));
      const order = Array.from(row, (_, i) => i).sort((a, b) => rank(b) - rank(a) || a - b);
      for (let i = 0; i < k; i++) {
        indices[r * k + i] = order[i]!;
        values[r * k + i] = row[order[i]!]!;
      }
    }
    return [values, indices];
  },
  gradient({ inputs: [x], outputs: [, indices], grads }) {
    if (!grads[0]) return [undefined];
    return [record1(topKGradientOp, [indices!, grads[0]], { columns: x!.shape.at(-1)! })];
  },
  lower({ inputs: [x], outputs: [values, indices], attrs: { k }, target }) {
    const { rows, columns } = rowsOf(x!);
    const width = columns % 4 === 0 ? 4 : 1;
    const b = kernelBuilder('topK', target);
    const X = b.read(x!, elementType(x!, width));
    const [V, I] = [b.write(values!), b.write(indices!)];
    const [n, units, kk] = [b.uniform(columns), b.uniform(columns / width), b.uniform(k)];
    const compare = (value: string, at: string): string => `
      { let v = ranked(f32(${value})); let place = ${at};
        let free = first || v < last || (v == last && place > lastAt);
        if (free && (v > best || at == ${n})) { best = v; at = place; } }`;
    const [each, chosen] =
      width === 4
        ? [range(4).map((j) => compare(`value[${j}]`, `4u * c + ${j}u`)), `${X}[base + lastAt / 4u][lastAt % 4u]`]
        : [[compare('value', 'c')], `${X}[base + lastAt]`];
    // positions pass through rowMin as two digits of 12 and 20 bits, exact in f32; infinities and NaN count as the lowest float
    const body = `
  let base = row * ${units};
  var last = 3.4028234e38; var lastAt = 0u; var first = true;
  for (var i = 0u; i < ${kk}; i++) {
    var best = LOWEST; var at = ${n};
    for (var c = lane; c < ${units}; c += LANES) {
      let value = ${X}[base + c];${each.join('')}
    }
    let top = rowMax(select(best, LOWEST, at == ${n}));
    let mine = at < ${n} && best == top;
    let high = rowMin(select(16777216.0, f32(at >> 12u), mine));
    let low = rowMin(select(16777216.0, f32(at & 4095u), mine && f32(at >> 12u) == high));
    last = top; lastAt = (u32(high) << 12u) | u32(low); first = false;
    if (lane == 0u) { ${V}[row * ${kk} + i] = ${chosen}; ${I}[row * ${kk} + i] = lastAt; }
  }`;
    const declarations = `const LOWEST = -3.4028234e38;\nfn ranked(x: f32) -> f32 { return select(LOWEST, x, x > LOWEST); }`;
    return [rowKernel(b, { body, declarations, rows, steps: columns / width, flops: rows * columns * k, rounds: k })];
  },
};

/** Puts the gradient of each chosen value where the value came from. Each element looks through its own row's k positions, so no atomics. */
const topKGradientOp: Op<{ columns: number }> = {
  name: 'topKGradient',
  infer: ([, g], { columns }) => [{ shape: [...g!.shape.slice(0, -1), columns], dtype: g!.dtype }],
  reference([indices, g], { columns }, [out]) {
    const k = g!.shape.at(-1)!;
    const data = new Float64Array(sizeOf(out!.shape));
    g!.data.forEach((value, i) => {
      data[Math.floor(i / k) * columns + indices!.data[i]!] = value;
    });
    return [data];
  },
  lower({ inputs: [indices, g], outputs: [out], attrs: { columns }, target }) {
    const b = kernelBuilder('topKGradient', target);
    const [I, G, O] = [b.read(indices!), b.read(g!), b.write(out!)];
    const [n, k] = [b.uniform(columns), b.uniform(g!.shape.at(-1)!)];
    const size = sizeOf(out!.shape);
    const body = `
  if (thread >= ${b.uniform(size)}) { return; }
  let first = thread / ${n} * ${k};
  var value = ${out!.dtype}(0.0);
  for (var i = first; i < first + ${k}; i++) { if (${I}[i] == thread % ${n}) { value = ${G}[i]; } }
  ${O}[thread] = value;`;
    return [b.build({ body, workgroupSize: 64, workgroups: Math.ceil(size / 64), serial: g!.shape.at(-1)! })];
  },
};

/** The k largest of each row of x [.., n]: values and u32 positions, both [.., k]. NaN is never chosen before a finite number. */
export function topK(x: Tensor, k: number): { readonly values: Tensor; readonly indices: Tensor } {
  const [values, indices] = record(topKOp, [x], { k });
  return { values: values!, indices: indices! };
}

/** Position (u32) of the largest element along `axis` (default the last), which goes; the first at a tie. */
export function argmax(x: Tensor, axis = -1): Tensor {
  checkTensor('argmax', x);
  const at =
    normaliseAxis(axis, x.shape.length) ??
    opError('argument', 'argmax', `axis ${axis} is out of range for ${showShape(x.shape)}`);
  const others = x.shape.flatMap((_, i) => (i === at ? [] : [i]));
  const { indices } = topK(transpose(x, [...others, at]), 1);
  return reshape(indices, indices.shape.slice(0, -1));
}
