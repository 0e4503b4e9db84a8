/** The commands that evaluate a data set, to be pasted. */
import { KNOWN_SETS } from '../eval/fine-grained-sets';
import { programCommand } from '../text/program';
import { countClasses } from './class-counts';
import type { DataParts } from './data-parts';
import type { OtherUse } from './other-uses';

/** What stands for the model, and for the images that a probe is trained on. */
const RUN = 'run';
const IMAGENET = 'imagenet-1k';

/** `spec`: what was looked at. */
export function nextCommands(spec: string, data: DataParts | undefined, uses: readonly OtherUse[]): string[] {
  const evaluate = (task: string, ...more: readonly string[]): readonly string[] => ['eval', task, '-w', RUN, ...more];
  const own = data ? ofImages(spec, data, evaluate) : [];
  const others = uses.flatMap(({ what, tasks }) =>
    what === 'out of distribution'
      ? [evaluate('ood', '-d', IMAGENET, '--openood', spec)]
      : tasks.map((task) => evaluate(task, '-d', spec)),
  );
  return [...own, ...others].map((words) => programCommand(words));
}

type Evaluate = (task: string, ...more: readonly string[]) => readonly string[];

function ofImages(spec: string, { parts, benchmark }: DataParts, evaluate: Evaluate): (readonly string[])[] {
  const name = benchmark?.name;
  if (name !== undefined && KNOWN_SETS.includes(name)) {
    const oneClass = parts.some(({ set }) => set.labels) ? [] : [evaluate('knn', '-d', spec)];
    return [evaluate('fine-grained', '-d', spec), ...oneClass];
  }
  const isLabelled = parts.every(({ set }) => countClasses(set).present > 1);
  if (name === IMAGENET && isLabelled)
    return [
      evaluate('knn', '-d', spec, '--protocol', 'paper'),
      evaluate('linear', '-d', spec, '--protocol', 'paper'),
      evaluate('robustness', '-d', spec),
    ];
  const isTestOnly = !parts.some(({ name: part }) => part === 'train' || part === 'all');
  if (isTestOnly && name !== undefined) return [evaluate('robustness', '-d', IMAGENET, '--set', `${name}=${spec}`)];
  if (!isLabelled)
    return [
      ['features', '-w', RUN, '-d', spec, '--out', 'features.safetensors'],
      ['show', '-w', RUN, '-d', spec],
    ];
  const held = parts.some(({ name: part }) => part === 'all') ? ['--split', 'held-out'] : [];
  return [evaluate('knn', '-d', spec, ...held), evaluate('linear', '-d', spec, ...held)];
}
