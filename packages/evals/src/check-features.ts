/**
 * Features that are none: what a call from plain JavaScript can bring in place of typed arrays, named before anything is computed. Types are looked at once for a
 * set or a batch; numbers are checked where they are first read.
 */
import { type ValueKind, valueProblem } from '@franca/tensor';
import { EvalsError } from './errors';

/** The parts that a set of features must have. */
export type FeatureKinds = Readonly<Record<string, ValueKind>>;

export const CLASS_TOKENS = { dim: 'number', cls: 'Float32Array' } as const;
export const LABELLED = { dim: 'number', cls: 'Float32Array', labels: 'Int32Array' } as const;
export const PATCHES = { dim: 'number', grid: 'numbers', patches: 'Float32Array' } as const;
export const SEGMENTATION = {
  dim: 'number',
  grid: 'numbers',
  patches: 'Float32Array',
  maskSize: 'numbers',
  masks: 'Uint8Array',
} as const;
export const ROWS = { data: 'Float32Array', rows: 'number', cols: 'number' } as const;

/**
 * Refuses what is no set of features of these parts. `what` says which: `knn: test`.
 *
 * @throws EvalsError `bad-labels` for labels and masks, else `bad-features`
 */
export function checkSet(what: string, set: unknown, kinds: FeatureKinds): void {
  const needed = Object.keys(kinds).join(', ');
  const problem = valueProblem(what, set, 'object');
  if (problem) throw new EvalsError('bad-features', `${problem}; a set has ${needed}`);
  for (const [part, kind] of Object.entries(kinds)) {
    const value = (set as Readonly<Record<string, unknown>>)[part];
    const wrong = valueProblem(`${what}.${part}`, value, kind) ?? extentProblem(what, part, value);
    const code = part === 'labels' || part === 'masks' ? 'bad-labels' : 'bad-features';
    if (wrong) throw new EvalsError(code, value === undefined ? `${wrong}; a set has ${needed}` : wrong);
  }
}

function extentProblem(what: string, part: string, value: unknown): string | undefined {
  if (part !== 'grid' && part !== 'maskSize') return undefined;
  const extent = value as readonly number[];
  const whole = extent.length === 2 && extent.every((side) => Number.isInteger(side) && side > 0);
  return whole ? undefined : `${what}.${part} is [${extent}]; it must be rows and columns, two positive integers`;
}
