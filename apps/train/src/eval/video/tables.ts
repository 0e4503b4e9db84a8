/** What was measured as tables for the page: per object, per sequence, and what it cost. */
import { sequenceStatistics } from '@franca/evals';
import type { ReportTable } from '@franca/viz';
import { amountOfBytes } from '../../text/amounts';
import type { Followed } from './outcome';
import type { ScoredObject } from './score';

const percent = (share: number): string => (100 * share).toFixed(1);

export function objectTable(objects: readonly ScoredObject[], caption: string): ReportTable {
  return {
    caption,
    columns: ['sequence', 'object', 'frames', 'J&F, %', 'J', 'J recall', 'J decay', 'F', 'F recall', 'F decay'],
    rows: objects.map(({ sequence, object, regions, boundaries }) => {
      const [j, f] = [sequenceStatistics(regions), sequenceStatistics(boundaries)];
      const both = percent((j.mean + f.mean) / 2);
      const figures = [j, f].flatMap(({ mean, recall, decay }) => [mean, recall, decay].map(percent));
      return [sequence, `${object}`, regions.length, both, ...figures];
    }),
  };
}

/** Only where a sequence has several objects does it say more than that of objects. */
export function sequenceTable(objects: readonly ScoredObject[], caption: string): ReportTable[] {
  const names = [...new Set(objects.map(({ sequence }) => sequence))];
  if (names.length === objects.length) return [];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = names.map((name) => {
    const own = objects.filter(({ sequence }) => sequence === name);
    const [j, f] = [mean(own.map(({ regions }) => mean(regions))), mean(own.map(({ boundaries }) => mean(boundaries)))];
    return [name, own.length, percent((j + f) / 2), percent(j), percent(f)];
  });
  return [{ caption, columns: ['sequence', 'objects', 'J&F, %', 'J', 'F'], rows }];
}

/** Of each size: what was computed in this run, and the features that are held at once. */
export function costTable(followed: readonly Followed[], dim: number): ReportTable {
  return {
    caption: 'cost of each size; of the largest grid the features that are held at once',
    columns: ['short side', 'grids', 'frames computed', 'seconds a frame', 'features held'],
    rows: followed.map(({ setting, sequences }) => {
      const computed = sequences.filter(({ seconds }) => seconds !== undefined);
      const frames = computed.reduce((sum, { sequence }) => sum + sequence.frames.length, 0);
      const seconds = computed.reduce((sum, one) => sum + (one.seconds ?? 0), 0);
      const tokens = Math.max(...sequences.map(({ grid: [rows, columns] }) => rows * columns));
      const held = 4 * dim * tokens * (setting.propagation.context + 1);
      const grids = [...new Set(sequences.map(({ grid }) => grid.join(' x ')))];
      return [
        `${setting.look.shortSide} px`,
        grids.length > 3 ? `${grids.length} of them` : grids.join(', '),
        frames > 0 ? frames : 'none, from the cache',
        frames > 0 ? (seconds / frames).toFixed(3) : undefined,
        amountOfBytes(held),
      ];
    }),
  };
}
