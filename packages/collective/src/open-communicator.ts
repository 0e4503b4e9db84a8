/** The ranks that this process belongs to, as its environment tells. */
import { alone } from './alone';
import type { Communicator } from './communicator';
import { CollectiveError } from './errors';
import { findLauncher, type Launcher } from './launcher';
import { openMpi } from './mpi';

export interface OpenCommunicatorOptions {
  /** What must be the same on all ranks: a version, a hash of settings; compared before anything else is exchanged. */
  readonly version?: string;
  /** Seconds to wait for all ranks to come (default 120). */
  readonly openSeconds?: number;
  /** Seconds after which a rank that says nothing at all is gone: its host is lost, or its process stopped (default 60). One that dies is known of at once. */
  readonly silentSeconds?: number;
}

const OPTIONS: Record<keyof OpenCommunicatorOptions, true> = { version: true, openSeconds: true, silentSeconds: true };

/**
 * Joins the other ranks where a launcher (`mpirun`, `mpiexec`, `srun`) started this process as one of several; else it is `alone`, and needs no MPI.
 * @throws CollectiveError `library` where MPI is missing or not that of the launcher, `version` where ranks are different programs, `rank` where one does not come, `options`
 */
export async function openCommunicator(options: OpenCommunicatorOptions = {}): Promise<Communicator> {
  const { version = '', openSeconds = 120, silentSeconds = 60 } = checked(options);
  const launcher = findLauncher(process.env);
  if (!launcher || launcher.size === 1) return alone();
  checkSlurm(launcher, process.env);
  return openMpi(launcher, { version, openSeconds, silentSeconds });
}

function checked(options: OpenCommunicatorOptions): OpenCommunicatorOptions {
  const refuse = (problem: string): never => {
    throw new CollectiveError('options', `openCommunicator: ${problem}`);
  };
  if (typeof options !== 'object' || options === null) refuse(`options are ${String(options)}; give an object`);
  const names = Object.keys(OPTIONS).join(', ');
  for (const name of Object.keys(options))
    if (!Object.hasOwn(OPTIONS, name)) refuse(`there is no option "${name}"; options are ${names}`);
  const { version, openSeconds, silentSeconds } = options;
  if (version !== undefined && typeof version !== 'string') refuse(`version is ${String(version)}; give a text`);
  for (const [name, seconds] of Object.entries({ openSeconds, silentSeconds }))
    if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0 && seconds <= 1e6))
      refuse(`${name} is ${String(seconds)}; give seconds above 0`);
  return options;
}

/** Without its MPI plugin, which is what Debian's Slurm does by itself, every task of `srun` is rank 0 of 1 to any library. */
function checkSlurm({ name }: Launcher, env: NodeJS.ProcessEnv): void {
  const speaks = ['PMIX_RANK', 'PMI_RANK', 'PMI_FD'].some((key) => env[key] !== undefined);
  if (name === 'srun' && !speaks)
    throw new CollectiveError(
      'library',
      'srun started several tasks and tells them nothing of each other; start them by srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH); srun --mpi=list shows what there is',
    );
}
