/** Commands that run in one process: several of them would do the same work, into the same files. */
import { findLauncher } from '@franca/collective';
import { TrainError } from '../errors';
import type { Started } from '../text/program';
import { markTold } from './known-to-all';

/** The commands that ranks run together. */
const SHARED = new Set(['pretrain', 'highres']);

/** False for a process that a launcher started as another rank than 0. */
export const isFirstStarted = (env: Started['env'] = process.env): boolean => (findLauncher(env)?.rank ?? 0) === 0;

/** @throws TrainError `usage` for a command that ranks do not run together, started as several */
export function refuseLaunch(command: string, env: Started['env'] = process.env): void {
  const launcher = findLauncher(env);
  if (SHARED.has(command) || launcher?.size === undefined || launcher.size === 1) return;
  const error = new TrainError(
    'usage',
    `franca-train ${command} runs in one process, and ${launcher.name} started ${launcher.size}; start it without (${[...SHARED].join(' and ')} run on several ranks)`,
  );
  throw isFirstStarted(env) ? error : markTold(error);
}
