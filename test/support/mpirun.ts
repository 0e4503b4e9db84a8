/** Runs a program as several ranks, over the MPI that is here: Open MPI, MPICH or both. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AS_ROOT } from './as-root';

export interface Mpi {
  readonly name: 'Open MPI' | 'MPICH';
  /** The launcher with its options, before `-n`. */
  readonly launcher: readonly [command: string, ...options: string[]];
}

export interface RankRun {
  readonly status: number | null;
  /** What all ranks and the launcher printed. */
  readonly output: string;
}

const isHere = (command: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));

const nameOf = (command: string): string => spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '';

/** Both may be installed beside each other, as Debian does; elsewhere `mpirun` is one of them. */
function find(name: Mpi['name'], commands: readonly string[], mark: RegExp, options: readonly string[]): Mpi[] {
  const command = commands.find((own) => isHere(own) && mark.test(nameOf(own)));
  return command ? [{ name, launcher: [command, ...options] }] : [];
}

/** The implementations that are installed, Open MPI first. */
export const MPIS: readonly Mpi[] = [
  ...find('Open MPI', ['mpirun.openmpi', 'mpirun'], /Open MPI|OpenRTE/, ['--oversubscribe']),
  ...find('MPICH', ['mpirun.mpich', 'mpiexec.hydra', 'mpirun'], /HYDRA/, []),
];

if (MPIS.length === 0)
  console.log('no mpirun (Debian: apt install openmpi-bin): tests of several processes are skipped');

/** Runs Node with `args` as `size` ranks. */
export function runRanks(
  { launcher: [command, ...options] }: Mpi,
  size: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RankRun {
  const { status, stdout, stderr } = spawnSync(
    command,
    [...options, '-n', String(size), process.execPath, '--import', 'tsx', ...args],
    { encoding: 'utf8', env: { ...process.env, ...AS_ROOT, ...env }, timeout: 120_000 },
  );
  return { status, output: `${stdout}${stderr}` };
}
