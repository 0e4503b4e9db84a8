/** What probing depth took at each size, and what the whole training of the paper would take at the rate of these steps. */
import type { ReportTable } from '@franca/viz';
import { duration } from '../../text/amounts';
import type { DepthPlan } from './depth-plan';
import type { DepthSize } from './depth-sizes';
import type { ProbedDepth } from './probe-depth';

/** What Probe3D's training sees: 10 passes over GeoNet's about 30,800 frames. */
const PAPER_PICTURES = 10 * 30_800;

export interface CostOfSize {
  readonly size: DepthSize;
  readonly probed: Pick<ProbedDepth, 'scored' | 'cost'>;
}

export function costTable(results: readonly CostOfSize[], { batchSize, head }: DepthPlan): ReportTable {
  return {
    caption: `cost of each size on this machine, features included${head ? `; Probe3D's whole training sees about ${PAPER_PICTURES.toLocaleString('en')} pictures` : ''}`,
    columns: ['size', 'steps', 'seconds a step', 'seconds a test picture', ...(head ? ["Probe3D's training"] : [])],
    rows: results.map(({ size, probed: { scored, cost } }) => {
      const { steps, learning, testing } = cost;
      const whole = steps > 0 ? duration((learning / steps) * (PAPER_PICTURES / batchSize)) : undefined;
      return [
        size.label,
        steps > 0 ? steps : 'none',
        steps > 0 ? (learning / steps).toFixed(3) : undefined,
        (testing / Math.max(1, scored.length)).toFixed(3),
        ...(head ? [whole] : []),
      ];
    }),
  };
}
