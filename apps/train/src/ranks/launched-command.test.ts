import { expect, test } from 'vitest';
import { wasTold } from './known-to-all';
import { launchedCommand } from './launched-command';
import { refuseLaunch } from './refuse-launch';

const openMpi = { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '1' };
const mpich = { PMI_SIZE: '4', PMI_RANK: '0', MPI_LOCALNRANKS: '4' };
const slurm = { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '0' };

test('a command is shown with the launcher that its ranks were started by', () => {
  const words = ['pretrain', '--resume', '--out', 'runs/a b'];
  expect(launchedCommand(4, words, openMpi)).toMatch(/^mpirun -n 4 .*pretrain --resume --out 'runs\/a b'$/);
  expect(launchedCommand(4, words, mpich)).toMatch(/^mpiexec -n 4 /);
  expect(launchedCommand(4, words, slurm)).toMatch(/^srun -n 4 /);
  expect(launchedCommand(1, words, {})).not.toMatch(/mpi|srun/);
});

test('a command for one process is refused on several, and rank 0 says so', () => {
  expect(() => refuseLaunch('eval', mpich)).toThrow(
    /franca-train eval runs in one process, and mpiexec of MPICH started 4/,
  );
  try {
    refuseLaunch('eval', openMpi);
  } catch (error) {
    expect(wasTold(error)).toBe(true);
  }
  expect(() => refuseLaunch('eval', { ...openMpi, OMPI_COMM_WORLD_SIZE: '1' })).not.toThrow();
  for (const command of ['pretrain', 'highres']) expect(() => refuseLaunch(command, mpich)).not.toThrow();
});
