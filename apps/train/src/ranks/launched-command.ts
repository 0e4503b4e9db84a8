/** Commands of this program, as the launcher that started its ranks starts them again. */
import { findLauncher } from '@franca/collective';
import { programCommand, type Started } from '../text/program';

const LAUNCHERS = { 'mpiexec of MPICH': 'mpiexec', srun: 'srun' } as Readonly<Record<string, string>>;

/** A command on `size` ranks, to be pasted: `mpirun -n 4 franca-train pretrain --resume --out runs/a`. */
export function launchedCommand(size: number, words: readonly string[], env: Started['env'] = process.env): string {
  const command = programCommand(words, { env, argv: process.argv });
  if (size === 1) return command;
  const launcher = findLauncher(env);
  return `${LAUNCHERS[launcher?.name ?? ''] ?? 'mpirun'} -n ${size} ${command}`;
}
