/** Tensors side by side along one axis. Each part is copied into its place by a kernel of its own, so any number of parts will do. */
import { opError } from '../base/errors';
import { normaliseAxis, type Shape, showShape, sizeOf } from '../base/shape';
import type { Kernel, LowerArgs, Op, Tensor } from '../graph/op';
import { checkTensor, record1 } from '../graph/record';
import { indexDivision } from '../kernels/index-division';
import { elementType, kernelBuilder } from '../kernels/kernel-builder';
import { unitKernel } from '../kernels/unit-kernel';
import { sliceAxis } from './slice';

interface ConcatAttrs {
  readonly axis: number;
}

const outer = (shape: Shape, axis: number): number => sizeOf(shape.slice(0, axis));
/** Elements of one part between two steps of the outer dimensions. */
const run = (shape: Shape, axis: number): number => sizeOf(shape.slice(axis));

const concatOp: Op<ConcatAttrs> = {
  name: 'concat',
  infer(inputs, { axis }) {
    const first = inputs[0]!;
    for (const spec of inputs) {
      if (spec.dtype !== first.dtype)
        opError('dtype', 'concat', `parts are ${first.dtype} and ${spec.dtype}; cast one of them`);
      if (spec.shape.length !== first.shape.length || spec.shape.some((dim, i) => i !== axis && dim !== first.shape[i]))
        opError(
          'shape',
          'concat',
          `${showShape(spec.shape)} does not fit beside ${showShape(first.shape)} along axis ${axis}`,
        );
    }
    const total = inputs.reduce((sum, spec) => sum + spec.shape[axis]!, 0);
    return [{ shape: first.shape.map((dim, i) => (i === axis ? total : dim)), dtype: first.dtype }];
  },
  reference(inputs, { axis }, [out]) {
    const data = new Float64Array(sizeOf(out!.shape));
    const width = run(out!.shape, axis);
    let start = 0;
    for (const { shape, data: part } of inputs) {
      const own = run(shape, axis);
      for (let o = 0; o < outer(shape, axis); o++) data.set(part.subarray(o * own, (o + 1) * own), o * width + start);
      start += own;
    }
    return [data];
  },
  gradient({ inputs, attrs: { axis }, grads }) {
    let start = 0;
    return inputs.map((input) => {
      const first = start;
      start += input.shape[axis]!;
      return sliceAxis(grads[0]!, axis, first, start);
    });
  },
  lower,
};

function lower({ inputs, outputs: [out], attrs: { axis }, target }: LowerArgs<ConcatAttrs>): Kernel[] {
  const total = run(out!.shape, axis);
  let start = 0;
  return inputs.flatMap((part) => {
    const own = run(part.shape, axis);
    const first = start;
    start += own;
    const size = sizeOf(part.shape);
    if (size === 0) return [];
    const width = own % 4 === 0 && total % 4 === 0 && first % 4 === 0 ? 4 : 1;
    const k = kernelBuilder('concat', target);
    const source = k.read(part, elementType(part, width));
    const sink = k.write(out!, elementType(out!, width));
    const units = size / width;
    const { quotient, remainder } = indexDivision(k, own / width, units);
    const at = `${quotient('i')} * ${k.uniform(total / width)} + ${k.uniform(first / width)} + ${remainder('i')}`;
    const touched = new Map([[out!, size]]);
    return [unitKernel(k, { units, body: `  ${sink}[${at}] = ${source}[i];`, touched })];
  });
}

/** The parts one after the other along `axis`; all other dimensions must agree. */
export function concat(parts: readonly Tensor[], axis = 0): Tensor {
  if (!Array.isArray(parts) || parts.length === 0) opError('argument', 'concat', 'needs a list of at least one part');
  for (const part of parts) checkTensor('concat', part);
  const at =
    normaliseAxis(axis, parts[0]!.shape.length) ??
    opError('argument', 'concat', `axis ${axis} is out of range for ${showShape(parts[0]!.shape)}`);
  return parts.length === 1 ? parts[0]! : record1(concatOp, parts, { axis: at });
}

/** What a tensor that was put together along its first axis consists of, else the tensor itself. */
export const concatenatedRows = (x: Tensor): readonly Tensor[] =>
  x.node.op === (concatOp as Op) && (x.node.attrs as ConcatAttrs).axis === 0 ? x.node.inputs : [x];
