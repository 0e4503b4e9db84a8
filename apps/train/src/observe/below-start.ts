/**
 * Whether a run that goes on from trained weights lost some of what they knew: whether its k-NN accuracy fell below that of its start. A reading is below where it lies more than
 * two standard errors under the start, both on the same pictures (`knn-figures.ts`); anything less is noise.
 */
import { BEST_TEACHER } from './best-reading';
import type { HealthNotice } from './health';
import type { KnnFigures } from './knn-figures';
import { percent, standing } from './verdict';

/** The notice where a reading lies below the weights that a run started from; undefined where it does not, or where those knew nothing. */
export function belowStart({ step, k, share, start }: KnnFigures): HealthNotice | undefined {
  if (start?.weights !== 'pretrained' || standing(start) !== 'behind') return undefined;
  const points = (100 * Math.abs(start.lead)).toFixed(1);
  return {
    severity: 'warning',
    code: 'below-start',
    text: `step ${step}: ${k}-NN is ${percent(share)}, ${points} points (± ${(200 * start.error).toFixed(1)}) below the ${percent(start.share)} of the weights that it started from: training takes away what they knew. Lower optim.base_lr, raise teacher.momentum_teacher, or stop here: those weights and the best reading above them (${BEST_TEACHER}) stay`,
  };
}
