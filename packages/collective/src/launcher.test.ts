import { expect, test } from 'vitest';
import { findLauncher } from './launcher';

// as the launchers set them, measured with Open MPI 4.1, MPICH 4.0 and Slurm 22.05
test.each([
  ['nothing', {}, undefined],
  ['the shell of sbatch', { SLURM_NTASKS: '2', SLURM_PROCID: '0', SLURM_JOB_ID: '3' }, undefined],
  [
    'mpirun of Open MPI in a job of Slurm',
    {
      OMPI_COMM_WORLD_SIZE: '2',
      OMPI_COMM_WORLD_RANK: '1',
      OMPI_COMM_WORLD_LOCAL_SIZE: '2',
      PMIX_RANK: '1',
      SLURM_PROCID: '0',
    },
    { name: 'mpirun of Open MPI', rank: 1, size: 2, localSize: 2 },
  ],
  [
    'mpiexec of MPICH, whose helper is a step of Slurm',
    { PMI_SIZE: '2', PMI_RANK: '1', PMI_FD: '9', MPI_LOCALNRANKS: '2', SLURM_STEP_NUM_TASKS: '1', SLURM_PROCID: '0' },
    { name: 'mpiexec of MPICH', rank: 1, size: 2, localSize: 2 },
  ],
  [
    'srun --mpi=pmix',
    {
      SLURM_STEP_NUM_TASKS: '7',
      SLURM_PROCID: '5',
      SLURM_STEP_TASKS_PER_NODE: '4,3',
      PMIX_RANK: '5',
      SLURM_NTASKS: '7',
    },
    { name: 'srun', rank: 5, size: 7, localSize: 4, families: ['Open MPI', 'MPICH'] },
  ],
  [
    'srun --mpi=pmi2',
    {
      SLURM_STEP_NUM_TASKS: '2',
      SLURM_PROCID: '1',
      SLURM_STEP_TASKS_PER_NODE: '1(x2)',
      PMI_SIZE: '2',
      PMI_RANK: '1',
      PMI_FD: '3',
    },
    { name: 'srun', rank: 1, size: 2, localSize: 1, families: ['MPICH', 'Open MPI'] },
  ],
  ['PMIx alone', { PMIX_RANK: '3' }, { name: 'a launcher that speaks PMIx', rank: 3, size: undefined }],
])('%s', (_, env, launcher) => {
  const found = findLauncher(env);
  if (launcher) expect(found).toMatchObject(launcher);
  else expect(found).toBeUndefined();
});
