/**
 * Who started this process, told by its environment. `mpirun` of Open MPI, and the Hydra of MPICH and Intel MPI, say rank and size. Slurm says them for the
 * tasks of `srun`; in the shells of `sbatch` and `salloc`, which run once whatever `--ntasks` asks for, there are SLURM_NTASKS and, in batch
 * scripts, SLURM_PROCID as well, but no SLURM_STEP_NUM_TASKS: only a step has that. What was started by something else is found by PMIX_RANK.
 */
import { CollectiveError } from './errors';

/** The implementations that a launcher may go with, the likelier first. */
export type Family = 'Open MPI' | 'MPICH';

export interface Launcher {
  readonly name: 'mpirun of Open MPI' | 'mpiexec of MPICH' | 'srun' | 'a launcher that speaks PMIx';
  readonly rank: number;
  /** Undefined where the environment does not say it. */
  readonly size: number | undefined;
  /** Ranks on this host; undefined where the environment does not say it. */
  readonly localSize: number | undefined;
  readonly families: readonly [Family, Family];
}

/** Undefined for a process that was started by itself. @throws CollectiveError `argument` for what is no environment */
export function findLauncher(env: Readonly<Record<string, string | undefined>>): Launcher | undefined {
  if (typeof env !== 'object' || env === null)
    throw new CollectiveError('argument', `findLauncher takes an environment, such as process.env, not ${String(env)}`);
  const number = (name: string): number | undefined => (/^\d+$/.test(env[name] ?? '') ? Number(env[name]) : undefined);
  const found = (
    name: Launcher['name'],
    families: Launcher['families'],
    [rank, size, localSize]: readonly (number | undefined)[],
  ): Launcher | undefined => (rank === undefined ? undefined : { name, rank, size, localSize, families });

  const [slurm, pmi] = [number('SLURM_STEP_NUM_TASKS'), number('PMI_SIZE')];
  if (number('OMPI_COMM_WORLD_SIZE') !== undefined)
    return found(
      'mpirun of Open MPI',
      ['Open MPI', 'MPICH'],
      [number('OMPI_COMM_WORLD_RANK'), number('OMPI_COMM_WORLD_SIZE'), number('OMPI_COMM_WORLD_LOCAL_SIZE')],
    );
  // Hydra starts its own helpers as a step of Slurm: where both speak, PMI counts the ranks.
  const bySlurm = slurm !== undefined && env.MPI_LOCALNRANKS === undefined;
  if (pmi !== undefined && !bySlurm)
    return found('mpiexec of MPICH', ['MPICH', 'Open MPI'], [number('PMI_RANK'), pmi, number('MPI_LOCALNRANKS')]);
  if (slurm !== undefined)
    return found(
      'srun',
      pmi === undefined && env.PMI_FD === undefined ? ['Open MPI', 'MPICH'] : ['MPICH', 'Open MPI'],
      [number('SLURM_PROCID'), slurm, mostPerNode(env.SLURM_STEP_TASKS_PER_NODE)],
    );
  return found('a launcher that speaks PMIx', ['Open MPI', 'MPICH'], [number('PMIX_RANK'), undefined, undefined]);
}

/** `4(x2),3` are two nodes of four tasks and one of three. */
function mostPerNode(text: string | undefined): number | undefined {
  const counts = (text?.match(/\d+(?=\(|,|$)/g) ?? []).map(Number);
  return counts.length ? Math.max(...counts) : undefined;
}
