/** Which checkpoints of a run are kept, and deletion of the others. */
import { checkOptions } from '../arguments';
import { CheckpointError } from '../errors';
import { listRunCheckpoints, removeCheckpoint } from './folder';

export interface RetentionPolicy {
  /** How many of the newest to keep; at least 1. */
  readonly last: number;
  /** Keep those, too, whose step is a multiple of this. */
  readonly every?: number;
}

/** Deletes the checkpoints that the policy does not keep and returns their paths. @throws CheckpointError `argument` */
export async function pruneRunCheckpoints(runFolder: string, policy: RetentionPolicy): Promise<string[]> {
  checkOptions(policy, ['last', 'every'], 'pruneRunCheckpoints');
  const { last, every } = policy;
  const valid = (count: number) => Number.isSafeInteger(count) && count >= 1;
  if (!valid(last) || (every !== undefined && !valid(every))) {
    throw new CheckpointError(
      'argument',
      `cannot keep the last ${last} and every ${every} steps: both are counts from 1`,
    );
  }
  const checkpoints = await listRunCheckpoints(runFolder);
  const old = checkpoints.slice(0, -last).filter(({ step }) => every === undefined || step % every !== 0);
  for (const { path } of old) await removeCheckpoint(path);
  return old.map(({ path }) => path);
}
