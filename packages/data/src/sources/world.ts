/** The generated world as a data set: `world`, `world:easy:length=500:size=64`. */

import { checkArgument, DataError } from '../errors';
import type { GeneratedWorldOptions } from '../world/generated-scenes';
import { generatedWorld } from '../world/generated-world';
import { GRADES } from '../world/grades';
import type { SourceKind } from './source-kind';

export const worldKind: SourceKind<'world'> = {
  kind: 'world',
  says: 'world',
  labels: 'always',
  prefixed: true,
  builtIn: 'world:',
  open: async (target, { split = 'train' }) =>
    generatedWorld(worldOptions(target, split === 'train' ? 'train' : 'val')),
  validation: (target, part) => (part === 'val' ? target : undefined),
};

/**
 * `easy:length=500:size=64`, what follows `world:`, as options of the generated world.
 * @throws DataError `spec`
 */
export function worldOptions(text: string, split: 'train' | 'val'): GeneratedWorldOptions {
  checkArgument('worldOptions', 'text', text, 'string');
  checkArgument('worldOptions', 'split', split, ['train', 'val']);
  const options: GeneratedWorldOptions = { split };
  for (const part of text.split(':').filter(Boolean)) {
    const [, name, value] = part.match(/^(length|classes|size|seed)=(\d+)$/) ?? [];
    const grade = GRADES.find((known) => known === part);
    if (grade) options.grade = grade;
    else if (name) Object.assign(options, { [name]: Number(value) });
    else
      throw new DataError(
        'spec',
        `world:${text}: ${part} is not ${GRADES.join(', ')}, nor length=, classes=, size= or seed= and a number`,
      );
  }
  return options;
}
