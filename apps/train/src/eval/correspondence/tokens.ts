/** Which tokens of a model key points are matched by. */
import { TrainError } from '../../errors';
import type { PatchTokens } from '../../features/compute-shard';
import { refuseInner } from '../../features/output-alone';
import type { PairPart } from '../part';

export interface TokenOptions {
  readonly feature?: 'before-norm' | 'after-norm';
  readonly layer?: number;
}

/** The block and form of the tokens. @throws TrainError `usage` for a block that there is not; `data` for what the model does not give */
export function matchTokens(
  { depth, outputAlone }: PairPart['model'],
  { feature = 'before-norm', layer = -1 }: TokenOptions,
): PatchTokens {
  if (feature === 'before-norm')
    refuseInner({ outputAlone }, 'tokens before the final norm', '--feature after-norm');
  const block = layer < 0 ? layer + depth : layer;
  if (block < 0 || block >= depth)
    throw new TrainError(
      'usage',
      `block ${layer} does not exist, the model has ${depth}; give --layer from 0 to ${depth - 1}`,
    );
  return { block, norm: feature === 'after-norm' };
}
