/** Commands of this program, as the launcher that started its ranks starts them again. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { findLauncher } from '@franca/collective';
import { programWords, type Started } from '../text/program';
import { shellCommand } from '../text/shell';

/** A command on `size` ranks, to be pasted: `mpirun -n 4 franca-train pretrain --resume --out runs/a`. */
export function launchedCommand(size: number, words: readonly string[], started: Started = process): string {
  const program = size === 1 ? programWords(started) : [...launcherWords(size, started), ...directWords(started)];
  return shellCommand([...program, ...words]);
}

function launcherWords(size: number, { env }: Started): string[] {
  const count = ['-n', String(size)];
  const name = findLauncher(env)?.name;
  if (name === 'mpiexec of MPICH') return ['mpiexec', ...count];
  if (name !== 'srun') return ['mpirun', ...count];
  // by default many a Slurm tells its tasks nothing of each other
  return ['srun', ...(env.SLURM_MPI_TYPE ? [`--mpi=${env.SLURM_MPI_TYPE}`] : []), ...count];
}

/** The program without npm around it: a launcher signals all processes of a rank, and the shell of npm ends by that before a checkpoint is saved. */
function directWords(started: Started): readonly string[] {
  const words = programWords(started);
  if (words[0] === 'npx') return [relative(process.cwd(), started.argv[1]!)];
  return words[0] === 'npm' ? ['node', 'scripts/franca.mjs'] : words;
}

/** What to say of a rank that a shell stands above, on Linux. */
export function shellAbove(): string[] {
  try {
    const parent = readFileSync(`/proc/${process.ppid}/comm`, 'utf8').trim();
    if (!/^(ba|da|z|k)?sh$/.test(parent)) return [];
    return [
      `warning: ranks were started through a shell (${parent}), as npx and npm do; it ends by the signal that asks a run to stop, and the launcher ends the run then, without a checkpoint: start ${shellCommand(directWords(process))} itself, or exec it`,
    ];
  } catch {
    return [];
  }
}
