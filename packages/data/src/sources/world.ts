/** The generated world as a data set: `world`, `world:length=500:size=64`. */

import { DataError } from '../errors';
import { type GeneratedWorldOptions, generatedWorld } from '../world/generated-world';
import type { SourceKind } from './source-kind';

export const worldKind: SourceKind<'world'> = {
  kind: 'world',
  says: 'world',
  labels: 'always',
  prefixed: true,
  builtIn: 'world:',
  open: async (target, { split = 'train' }) =>
    generatedWorld(worldOptions(target, split === 'train' ? 'train' : 'val')),
  validation: (target) => target,
};

/**
 * `length=500:size=64`, what follows `world:`, as options of the generated world.
 * @throws DataError bad-spec
 */
export function worldOptions(text: string, split: 'train' | 'val'): GeneratedWorldOptions {
  const numbers = text.split(':').filter(Boolean);
  const bad = numbers.find((part) => !/^(length|classes|size|seed)=\d+$/.test(part));
  if (bad)
    throw new DataError('bad-spec', `world:${text}: ${bad} is not length=, classes=, size= or seed= and a number`);
  return {
    split,
    ...Object.fromEntries(numbers.map((part) => part.split('=')).map(([key, value]) => [key, Number(value)])),
  };
}
