/**
 * Images of another size, each pixel a weighted sum of those around its place in the input: bilinear, y = sum_ij r_i c_j x_ij over the two rows and two columns
 * next to it, or nearest. [B, H, W, C] -> [B, h, w, C], as PyTorch's `interpolate` without antialiasing: output i of n lies at (i + 1/2) H / n - 1/2, clamped to the image;
 * with aligned corners at i (H - 1) / (n - 1), so that first and last pixels stay where they are; nearest takes floor(i H / n). Weights come from a table
 * of each axis (`resize-taps.ts`). The gradient is the same op with the transposed tables: every input pixel gathers from the outputs that read it, in their order.
 * What is more than the 2 x 2 pixels, such as bicubic filters, is a matrix: see `resample`.
 */
import { isFloat } from '../base/dtype';
import { opError } from '../base/errors';
import { type OptionKinds, optionProblem } from '../base/option-problem';
import { type Shape, showShape } from '../base/shape';
import type { Kernel, LowerArgs, NdArray, Op, Tensor } from '../graph/op';
import { checkList, checkTensor, record1 } from '../graph/record';
import { programWidth, writeProgram } from '../kernels/elementwise-program';
import { type IndexDivision, indexDivision } from '../kernels/index-division';
import { elementType, kernelBuilder } from '../kernels/kernel-builder';
import { threadsOfGroup } from '../kernels/unit-kernel';
import { type Taps, tableOf, tapsOf, transposed, widthOf } from './resize-taps';
import { constant } from './sources';

interface ResizeAttrs {
  readonly rows: Taps;
  readonly columns: Taps;
}

/** Inputs: images and the table of both axes, which only kernels read. */
const resizeOp: Op<ResizeAttrs> = {
  name: 'resize',
  infer: ([x], { rows, columns }) => [
    { shape: [x!.shape[0]!, rows.outputs.length, columns.outputs.length, x!.shape[3]!], dtype: x!.dtype },
  ],
  reference: ([x], { rows, columns }) => [resized64(x!, rows, columns)],
  gradient: ({ attrs: { rows, columns }, grads }) => [
    weighted(grads[0]!, { rows: transposed(rows), columns: transposed(columns) }),
    undefined,
  ],
  fusesEpilogue: true,
  lower: (args) => [resizeKernel(args)],
};

function resized64({ shape, data }: NdArray, rows: Taps, columns: Taps): Float64Array {
  const [B, H, W, C] = shape as [number, number, number, number];
  const [h, w] = [rows.outputs.length, columns.outputs.length];
  const out = new Float64Array(B * h * w * C);
  for (let i = 0; i < out.length; i++) {
    const [c, x, y, b] = [i % C, Math.floor(i / C) % w, Math.floor(i / (C * w)) % h, Math.floor(i / (C * w * h))];
    const [row, column] = [rows.outputs[y]!, columns.outputs[x]!];
    row.weights.forEach((r, j) => {
      column.weights.forEach((s, k) => {
        out[i]! += r * s * data[((b * H + row.first + j) * W + column.first + k) * C + c]!;
      });
    });
  }
  return out;
}

/** Vectors of channels that an invocation computes of one pixel, whose entries of the table it finds once. */
const RUN = { cpu: 16, gpu: 1 } as const;

function resizeKernel({ inputs, attrs, target, epilogue }: LowerArgs<ResizeAttrs>): Kernel {
  const [x, table] = inputs as [Tensor, Tensor];
  const { rows, columns } = attrs;
  const [B, H, W, C] = x.shape as [number, number, number, number];
  const [h, w] = [rows.outputs.length, columns.outputs.length];
  const width = C % 4 === 0 ? programWidth(epilogue!) : 1;
  const units = C / width;
  const runs = Math.ceil(units / RUN[target.family]);
  const threads = B * h * w * runs;
  const k = kernelBuilder('resize', target);
  const [X, T] = [k.read(x, elementType(x, width)), k.read(table)];
  const declarations = writeProgram(k, epilogue!, width);
  const [byRuns, byColumns, byRows] = [runs, w, h].map((n) => indexDivision(k, n, threads)) as [
    IndexDivision,
    IndexDivision,
    IndexDivision,
  ];
  const [rowEntry, columnEntry] = [2 + widthOf(rows), 2 + widthOf(columns)];
  const body = `
  if (thread >= ${k.uniform(threads)}) { return; }
  let units = ${k.uniform(units)};
  let pixel = ${byRuns.quotient('thread')};
  let run = ${byRuns.remainder('thread')} * ${RUN[target.family]}u;
  let line = ${byColumns.quotient('pixel')};
  let r = ${byRows.remainder('line')} * ${k.uniform(rowEntry)};
  let s = ${k.uniform(h * rowEntry)} + ${byColumns.remainder('pixel')} * ${k.uniform(columnEntry)};
  let first = vec2<u32>(u32(${T}[r]), u32(${T}[s]));
  let end = vec2<u32>(u32(${T}[r + 1u]), u32(${T}[s + 1u]));
  let perRow = ${k.uniform(W)} * units;
  let corner = (${byRows.quotient('line')} * ${k.uniform(H)} + first.x) * perRow + first.y * units;
  for (var c = run; c < min(run + ${RUN[target.family]}u, units); c++) {
    var acc = F();
    for (var y = 0u; y < end.x - first.x; y++) {
      var sum = F();
      for (var x = 0u; x < end.y - first.y; x++) {
        sum += ${T}[s + 2u + x] * F(${X}[corner + y * perRow + x * units + c]);
      }
      acc += ${T}[r + 2u + y] * sum;
    }
    emit(pixel * units + c, acc);
  }`;
  const workgroupSize = threadsOfGroup(threads, target);
  const taps = tapsIn(rows) * tapsIn(columns) * B * C;
  return k.build({
    body,
    declarations,
    workgroupSize,
    workgroups: Math.ceil(threads / workgroupSize),
    serial: widthOf(rows) * widthOf(columns),
    flops: 2 * taps,
    touched: new Map([[x, taps]]),
  });
}

const tapsIn = ({ outputs }: Taps): number => outputs.reduce((sum, { weights }) => sum + weights.length, 0);

function weighted(x: Tensor, attrs: ResizeAttrs): Tensor {
  const table = [...tableOf(attrs.rows), ...tableOf(attrs.columns)];
  return record1(resizeOp, [x, constant(table, [table.length])], attrs);
}

export interface ResizeOptions {
  /** Default `bilinear`. */
  readonly filter?: 'bilinear' | 'nearest';
  /** Bilinear: first and last pixels stay where they are, instead of the edges of the image (default false). */
  readonly alignCorners?: boolean;
}

const OPTION_KINDS: OptionKinds<ResizeOptions> = { filter: ['bilinear', 'nearest'], alignCorners: 'boolean' };

/** Images x [B, H, W, C] of floats -> [B, ...size, C], `size` [rows, columns]. Throws `TensorError`. */
export function resize(x: Tensor, size: readonly [number, number], options: ResizeOptions = {}): Tensor {
  checkResize(x, size, options);
  const { filter = 'bilinear', alignCorners = false } = options;
  const sampling = filter === 'nearest' ? 'nearest' : alignCorners ? 'corners' : 'half-pixel';
  const [, H, W] = x.shape as [number, number, number, number];
  if (H === size[0] && W === size[1]) return x;
  return weighted(x, { rows: tapsOf(H, size[0], sampling), columns: tapsOf(W, size[1], sampling) });
}

function checkResize(x: Tensor, size: Shape, options: ResizeOptions): void {
  checkTensor('resize', x);
  checkList('resize', 'size', size);
  const problem = optionProblem(options, OPTION_KINDS);
  if (problem) opError('options', 'resize', problem);
  if (options.filter === 'nearest' && options.alignCorners !== undefined)
    opError('options', 'resize', 'alignCorners is of the bilinear filter; nearest has no corners to align');
  if (!isFloat(x.dtype)) opError('dtype', 'resize', `needs floats, got ${x.dtype}; cast it`);
  const [, H, W] = x.shape;
  if (x.shape.length !== 4 || H === 0 || W === 0)
    opError('shape', 'resize', `needs images [B, H, W, C] with pixels, got ${showShape(x.shape)}`);
  if (size.length !== 2 || !size.every((n) => Number.isInteger(n) && n > 0))
    opError('argument', 'resize', `size ${showShape(size)} is no [rows, columns] of positive whole numbers`);
}
