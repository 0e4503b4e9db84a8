/** The kernels that can compute a matmul, by name, and which of them an adapter uses. */
import type { Kernel } from '../kernel';
import { broadcastMatmul } from './matmul-broadcast';
import { naiveMatmul } from './matmul-naive';
import type { MatmulProblem } from './matmul-problem';
import { registerMatmul } from './matmul-register';

// Below this, a kernel of 16 rows is compiled sooner than one of 32 rows repays it.
const LARGE_FLOPS = 5e7;

export function lowerMatmul(problem: MatmulProblem): Kernel[] {
  const { dims, target } = problem;
  if (target.family === 'gpu') return [naiveMatmul(problem)];
  const lanes = target.subgroupSize;
  if (lanes === undefined || lanes > 32) return [registerMatmul(problem)];
  const flops = 2 * dims.batch * dims.M * dims.N * dims.K;
  const rows = dims.M <= 8 ? 8 : dims.M <= 16 || flops < LARGE_FLOPS ? 16 : 32;
  return [broadcastMatmul(problem, Math.max(rows, lanes))];
}
