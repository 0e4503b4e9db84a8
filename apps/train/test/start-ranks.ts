/** Runs of several ranks for tests, started by `mpirun` of Open MPI where there is one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AS_ROOT } from '../../../test/support/as-root';
import { MPIS } from '../../../test/support/mpirun';
import { cliProgram } from './cli-program';

const openMpi = MPIS.find(({ name }) => name === 'Open MPI');

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Whether there is one. */
export const hasMpirun = (): boolean => openMpi !== undefined;

export interface StartedRanks {
  readonly child: ChildProcess;
  /** Exit status of the launcher (null: killed), and what all ranks printed. */
  readonly done: Promise<{ status: number | null; output: string }>;
  /** What was printed so far. */
  output(): string;
  /** The process of a rank that runs. */
  pidOf(rank: number): number;
}

/** Starts `franca-train` on `size` ranks. */
export function startRanks(size: number, args: readonly string[]): StartedRanks {
  const [mpirun, ...options] = openMpi!.launcher;
  const child = spawn(mpirun, [...options, '-n', String(size), ...cliProgram, ...args], {
    cwd: root,
    env: { ...process.env, ...AS_ROOT },
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
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && isRank(entry, launcher, rank));
  if (!pid) throw new Error(`no process of rank ${rank} below ${launcher}`);
  return Number(pid);
}

function isRank(pid: string, launcher: number, rank: number): boolean {
  try {
    const [, parent] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^PPid:\s+(\d+)/m) ?? [];
    if (Number(parent) !== launcher) return false;
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`OMPI_COMM_WORLD_RANK=${rank}`);
  } catch {
    // it ended meanwhile
    return false;
  }
}
