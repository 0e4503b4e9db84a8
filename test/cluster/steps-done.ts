/** How far a run is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Steps that stand in the figures of the run in `out`. */
export function stepsDone(out: string): number {
  const file = join(out, 'metrics.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}
