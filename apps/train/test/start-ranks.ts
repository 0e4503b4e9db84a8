/** Runs of several ranks for tests, started by `mpirun` of Open MPI where there is one. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MPIRUN = 'mpirun.openmpi';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Whether there is one; says so where there is not. */
export function hasMpirun(): boolean {
  const found = spawnSync(MPIRUN, ['--version']).status === 0;
  if (!found) console.log('no mpirun of Open MPI: the tests of two ranks are skipped');
  return found;
}

export interface StartedRanks {
  readonly child: ChildProcess;
  /** Exit status of the launcher (null: killed), and what all ranks printed. */
  readonly done: Promise<{ status: number | null; output: string }>;
  /** What was printed so far. */
  output(): string;
  /** The process of a rank that runs. */
  pidOf(rank: number): number;
}

/** Starts `franca-train` on the sources on `size` ranks. */
export function startRanks(size: number, args: readonly string[]): StartedRanks {
  const cli = [process.execPath, '--import', 'tsx', `${root}/apps/train/src/cli.ts`, ...args];
  const child = spawn(MPIRUN, ['--oversubscribe', '-n', String(size), ...cli], {
    cwd: root,
    env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (text: Buffer): void => {
    output += text;
  };
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  return {
    child,
    done: new Promise((resolve) => child.on('close', (status) => resolve({ status, output }))),
    output: () => output,
    pidOf: (rank) => pidOfRank(child.pid!, rank),
  };
}

function pidOfRank(launcher: number, rank: number): number {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(launcher)], { encoding: 'utf8' });
  const pid = children
    .trim()
    .split(/\s+/)
    .find((one) => readFileSync(`/proc/${one}/environ`, 'utf8').split('\0').includes(`OMPI_COMM_WORLD_RANK=${rank}`));
  if (!pid) throw new Error(`no process of rank ${rank} below ${launcher}`);
  return Number(pid);
}
