/** Whether an adapter can compute as a run wants to. */
import type { PretrainOptions } from '@franca/pretraining';
import type { Target } from '@franca/tensor';
import { TrainError } from '../errors';

/** What to expect of f16 on this adapter, where that is worth a word. @throws TrainError `device` where there is no f16 */
export function checkPrecision(
  { precision }: Pick<PretrainOptions, 'precision'>,
  { name, f16, family }: Pick<Target, 'name' | 'f16' | 'family'>,
): string | undefined {
  if (precision === 'f32') return undefined;
  if (!f16)
    throw new TrainError('device', `franca.precision is f16, which ${name} does not have; use franca.precision=f32`);
  return family === 'cpu'
    ? `f16 on ${name}: the first step compiles for minutes, and none is faster than in f32`
    : undefined;
}
