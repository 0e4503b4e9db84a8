import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wasTold } from './known-to-all';
import { launchedCommand } from './launched-command';
import { refuseLaunch } from './refuse-launch';

const openMpi = { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '1' };
const mpich = { PMI_SIZE: '4', PMI_RANK: '0', MPI_LOCALNRANKS: '4' };
const slurm = { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '0' };

const started = (env: Record<string, string>, file: string) => ({ env, argv: ['node', file] });
const installed = (env: Record<string, string>) => started(env, '/usr/bin/franca-train');

test('a command is shown with the launcher that its ranks were started by', () => {
  const words = ['pretrain', '--resume', '--out', 'runs/a b'];
  const shown = (env: Record<string, string>, size = 4) => launchedCommand(size, words, installed(env));
  expect(shown(openMpi)).toBe("mpirun -n 4 franca-train pretrain --resume --out 'runs/a b'");
  expect(shown(mpich)).toMatch(/^mpiexec -n 4 /);
  expect(shown(slurm)).toMatch(/^srun -n 4 /);
  expect(shown({ ...slurm, SLURM_MPI_TYPE: 'pmix' })).toMatch(/^srun --mpi=pmix -n 4 /);
  expect(shown({}, 1)).toMatch(/^franca-train/);
});

test('ranks are not started through npm', () => {
  const shown = (env: Record<string, string>, file: string) =>
    launchedCommand(2, [], started({ ...openMpi, ...env }, join(process.cwd(), file)));
  const local = 'node_modules/.bin/franca-train';
  expect(shown({}, local)).toBe(`mpirun -n 2 ${local}`);
  expect(shown({ npm_command: 'exec' }, local)).toBe(`mpirun -n 2 ${local}`);
  const source = 'apps/train/src/cli.ts';
  expect(shown({ FRANCA_SETUP_DONE: '1' }, source)).toBe('mpirun -n 2 node scripts/franca.mjs');
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
