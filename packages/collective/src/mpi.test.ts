/** Real ranks, over the implementations of MPI that are installed. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MPIS, runRanks } from '../../../test/support/mpirun';

const program = (name: string): string => fileURLToPath(new URL(`../test/${name}.ts`, import.meta.url));
const [first] = MPIS;

/** Hashes of what each rank received. */
const hashesOf = (output: string): string[] =>
  [...output.matchAll(/right, alive, (\w+)/g)].map(([, hash]) => hash!).sort();

test.skipIf(!first)('every call gives sums in the order of the ranks, to the bit, over each MPI', () => {
  const runs = [...MPIS, first!].map((mpi) => hashesOf(runRanks(mpi, 2, [program('all-calls')]).output));
  for (const hashes of runs) {
    expect(hashes).toHaveLength(2);
    expect(hashes).toEqual(runs[0]);
  }
  expect(hashesOf(runRanks(first!, 3, [program('all-calls')]).output)).toHaveLength(3);
});

test.skipIf(!first)('values go from one mapped buffer of the GPU into another', () => {
  const { output } = runRanks(first!, 2, [program('mapped-buffers')]);
  for (const rank of [0, 1]) expect(output).toContain(`rank ${rank}: 3,5,7,9`);
});

describe.skipIf(!first)('what goes wrong is said, and ends all ranks', () => {
  test.each([
    ['version', /rank 0: version: rank 1 \(.*\) runs "program 2", rank 0 \(.*\) runs "program 1"/],
    [
      'lengths',
      /rank 0: argument: rank 1 \(.*\) calls allReduce sum of Float32Array \[999\] where this rank calls .*\[1000\]/,
    ],
    ['closed', /rank 0: rank: rank 1 \(.*\) calls close where this rank calls allReduce/],
    ['missing', /rank 0: rank: not all ranks .* came within 4 s/],
    ['scope', /rank 0: rank: rank 1 \(.*\) calls close where this rank calls allReduce/],
    ['twice', /rank 0: argument: MPI opens once in the life of a process/],
    ['stopped', /rank 0: rank: rank 1 \(.*\) is gone: nothing was heard of it for 2 s/],
  ])('%s', (trouble, message) => {
    const { status, output } = runRanks(first!, 2, [program('trouble'), trouble]);
    expect(output).toMatch(message);
    expect(status).not.toBe(0);
  });

  // told to leave the others alone where one dies, as the launcher of Slurm does by itself
  const patient = MPIS.filter(({ name }) => name === 'Open MPI').map((mpi) => ({
    ...mpi,
    launcher: [...mpi.launcher, '--enable-recovery'] as const,
  }));
  test.skipIf(!patient[0]).each([
    ['killed', 1, [0, 2]],
    ['first killed', 0, [1, 2]],
  ])('%s, and nobody but the others notices', (trouble, gone, others) => {
    const { output } = runRanks(patient[0]!, 3, [program('trouble'), trouble]);
    for (const other of others) {
      expect(output).toMatch(new RegExp(`rank ${other}: rank: rank ${gone} \\(.*\\) is gone: its connection closed`));
      expect(output).toContain(`rank ${other}: ends with 1`);
    }
  });

  test('an error in the scope of a communicator is what ends the scope', () => {
    const { output } = runRanks(patient[0] ?? first!, 2, [program('trouble'), 'scope']);
    expect(output).toContain('rank 1: unexpected: of its own');
  });

  test('an error that nobody catches is printed, and ends all', () => {
    const { status, output } = runRanks(first!, 2, [program('trouble'), 'thrown']);
    expect(output).toContain('Error: thrown by rank 1');
    expect(status).not.toBe(0);
  });

  test('aborted, with the status that was given', () => {
    expect(runRanks(first!, 2, [program('trouble'), 'abort']).status).toBe(7);
  });
});

const [openMpi, mpich] = [MPIS.find(({ name }) => name === 'Open MPI'), MPIS.find(({ name }) => name === 'MPICH')];

test.skipIf(!openMpi || !mpich)('the library of another launcher is refused', () => {
  const { output } = runRanks(mpich!, 2, [program('trouble')], { FRANCA_MPI: 'libmpi.so.40' });
  expect(output).toMatch(
    /rank 1: library: libmpi.so.40 \(Open MPI .*\) takes this for rank 0 of 1, mpiexec of MPICH started it as rank 1 of 2/,
  );
});
