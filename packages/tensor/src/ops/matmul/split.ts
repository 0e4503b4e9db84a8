/**
 * Products of a long k and few elements, in ranges of k. Such products, weight gradients for one, have too few tiles to occupy an adapter.
 * Their k is divided into ranges, which are summed by as many workgroups into scratch memory [ranges, batch, M, N]; a second kernel adds
 * the ranges, always in the same order, and runs the epilogue.
 */
import { sizeOf } from '../../base/shape';
import { roundUp } from '../../base/whole-numbers';
import type { Kernel, Scratch } from '../../graph/op';
import { programWidth, writeProgram } from '../../kernels/elementwise-program';
import { elementType, kernelBuilder, scratch } from '../../kernels/kernel-builder';
import type { MatmulProblem } from './problem';

/** `wanted` ranges at most, each a multiple of `depth` long so that only the last one has a tail. */
export function splitMatmul(
  problem: MatmulProblem,
  wanted: number,
  depth: number,
  lower: (problem: MatmulProblem) => Kernel,
): Kernel[] {
  const { batch, M, N, K } = problem.dims;
  const length = roundUp(K / wanted, depth);
  const ranges = Math.ceil(K / length);
  if (ranges < 2) return [lower(problem)];
  const sums = scratch([ranges, batch, M, N], 'f32');
  return [lower({ ...problem, partial: { sums, ranges, length } }), addRanges(problem, sums, ranges)];
}

function addRanges({ epilogue, target }: MatmulProblem, sums: Scratch, ranges: number): Kernel {
  const k = kernelBuilder('matmul', target);
  const width = programWidth(epilogue);
  const type = elementType(sums, width);
  const source = k.read(sums, type);
  const declarations = writeProgram(k, epilogue, width);
  const count = sizeOf(epilogue.shape) / width;
  const units = k.uniform(count);
  const body = `
  if (thread >= ${units}) { return; }
  var sum = ${type}();
  for (var i = 0u; i < ${k.uniform(ranges)}; i++) { sum += ${source}[i * ${units} + thread]; }
  emit(thread, sum);`;
  return k.build({
    declarations,
    body,
    workgroupSize: 64,
    workgroups: Math.ceil(count / 64),
    flops: sizeOf(sums.shape),
    serial: ranges,
  });
}
