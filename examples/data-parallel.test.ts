import { expect, test } from 'vitest';
import { MPIS, runRanks } from '../test/support/mpirun';
import { runExample } from '../test/support/run-example';

const figures = (printed: string): string => printed.match(/\d+ of 2000 points right, .*/)![0];

test('one process, and two that share the points, learn the same', async () => {
  const alone = await runExample('data-parallel.ts');
  expect(Number(alone.match(/(\d+) of 2000/)![1])).toBeGreaterThan(1400);
  const [mpi] = MPIS;
  if (!mpi) return;
  const { output } = runRanks(mpi, 2, ['examples/data-parallel.ts']);
  expect(output).toContain('2 ranks: ');
  expect(figures(output)).toBe(figures(alone));
  expect(output.match(/the same on all ranks/g)).toHaveLength(2);
});
