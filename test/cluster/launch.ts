/** Ranks of `franca-train`, started from the sources by a launcher, and found again among the processes of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AS_ROOT } from '../support/as-root';
import { ended } from './processes';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The words before the program and the number of ranks; Slurm is not asked to end the others when one dies. */
const LAUNCHERS = {
  openmpi: ['mpirun.openmpi', '--oversubscribe'],
  mpich: ['mpiexec.mpich'],
  srun: ['srun', '--kill-on-bad-exit=0', '--mpi=pmix'],
} as const;

export type LauncherName = keyof typeof LAUNCHERS;

export const launcherNames: LauncherName[] = Object.keys(LAUNCHERS) as LauncherName[];

export interface Launched {
  readonly launcher: ChildProcess;
  /** Resolves to the launcher's exit status. */
  readonly ended: Promise<number>;
  /** What has been printed so far. */
  readonly text: () => string;
  /** The processes that are there of each rank. */
  readonly processes: () => RankProcess[];
}

export interface RankProcess {
  readonly rank: number;
  readonly pid: number;
}

let launches = 0;

/** `franca-train` with `words`, on `ranks` ranks. */
export function launch(
  name: LauncherName,
  ranks: number,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Launched {
  // every process that comes of it has this in its environment
  const mark = `FRANCA_LAUNCH=${process.pid}-${++launches}`;
  const program = [process.execPath, '--import', 'tsx', join(root, 'apps/train/src/cli.ts')];
  const [launcher, ...args] = [...LAUNCHERS[name], '-n', `${ranks}`, ...program, ...words];
  const child = spawn(launcher!, args, {
    cwd: root,
    env: {
      ...env,
      ...AS_ROOT,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
      FRANCA_LAUNCH: mark.slice(mark.indexOf('=') + 1),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      text += part;
    });
  return { launcher: child, ended: ended(child), text: () => text, processes: () => ranksWith(mark) };
}

/** The ranks among all processes with this entry in their environment; what they started themselves counts as well. */
function ranksWith(mark: string): RankProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid)) return [];
      const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const value = (variable: string): string | undefined =>
        entries.find((entry) => entry.startsWith(`${variable}=`))?.slice(variable.length + 1);
      const isOfStep = value('SLURM_STEP_NUM_TASKS') !== undefined;
      const rank = value('OMPI_COMM_WORLD_RANK') ?? value('PMI_RANK') ?? (isOfStep ? value('SLURM_PROCID') : undefined);
      return entries.includes(mark) && rank !== undefined ? [{ rank: Number(rank), pid: Number(pid) }] : [];
    } catch {
      return []; // it has ended meanwhile, or is a kernel's
    }
  });
}
