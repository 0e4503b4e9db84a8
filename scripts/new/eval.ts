/** A new evaluation of `franca-train eval`: the share of images whose token is long enough, to be replaced. */
import { changeset, type Edit } from './edits';
import { Refusal } from './errors';
import type { Name } from './name';

const TASKS = 'apps/train/src/eval/tasks';

export function evalTemplate(name: Name): Edit[] {
  const { kebab } = name;
  if (kebab === 'all') throw new Refusal('all is taken: "franca-train eval all" runs every evaluation');
  return [
    { path: `${TASKS}/${kebab}.ts`, text: taskText(name) },
    { path: `${TASKS}/${kebab}.test.ts`, text: testText(name) },
    {
      path: 'apps/train/README.md',
      before: '\n| `coverage` | nothing',
      text: `\n| \`${kebab}\` | any images | share of images whose CLS token is longer than a floor | |`,
    },
    changeset(`train-${kebab}`, 'franca-train', `\`franca-train eval ${kebab}\`: the share of long CLS tokens.`),
  ];
}

const taskText = ({ kebab, words }: Name): string => `/**
 * The ${words} evaluation: the share of images whose CLS token is longer than a floor. Written by \`npm run new -- eval ${kebab}\`: replace this
 * paragraph, what is read, the options and the number. Arithmetic that others could use goes into \`@franca/evals\`.
 */
import type { Outcome } from '@franca/evals';
import { positiveNumber } from '../../options/option-values';
import { tokensOf } from '../estimate/costs/readings';
import type { EvalTask } from '../task';

interface Options {
  readonly floor?: number;
}

export const task: EvalTask = {
  name: '${kebab}',
  about: 'share of images whose CLS token is longer than a floor',
  reads: 'images',
  options: (command) => command.option('--floor <length>', 'of a long token (default: 0.001)', positiveNumber),
  async cost(question) {
    const { test } = await question.sets('images');
    // what is done with the tokens takes no time beside computing them
    return { reads: [tokensOf(question, test)], work: [], held: { host: 0, device: 0 } };
  },
  async run(context, { floor = 0.001 }: Options) {
    const start = performance.now();
    const test = await context.images('test');
    const { images: read, batches } = await test.features();
    const images = read.length;
    let long = 0;
    for await (const { cls, dim } of batches)
      for (let at = 0; at < cls.length; at += dim) if (Math.hypot(...cls.subarray(at, at + dim)) > floor) long++;
    const outcome: Outcome = {
      task: '${kebab}',
      protocol: 'cls tokens',
      variant: '',
      evaluated: images,
      total: images,
      metric: 'long tokens',
      value: long / images,
      unit: 'share',
      others: {},
      perClass: [],
      hyper: { floor },
      selectedOn: 'nothing',
      seeds: [],
      quirks: false,
      wallMs: performance.now() - start,
    };
    return { records: context.records(test, [outcome]) };
  },
};
`;

const testText = ({ kebab }: Name): string => `import { evalRecord } from '@franca/evals';
import { expect, test } from 'vitest';
import type { EvalContext } from '../context';
import type { ImagePart } from '../image-part';
import { task } from './${kebab}';

/** What a model said of a few images, in place of the model. */
function contextOf(tokens: readonly (readonly [number, number])[]): EvalContext {
  const labelled = { dim: 2, cls: Float32Array.from(tokens.flat()), labels: new Int32Array(tokens.length) };
  const images = Int32Array.from(tokens.keys());
  const part = { features: async () => ({ images, batches: [labelled] }) } as unknown as ImagePart;
  const subject = { dataset: 'a few', split: 'test', features: 'given', preprocessing: 'none' };
  const context: Partial<EvalContext> = {
    images: async () => part,
    records: (_, outcomes) => outcomes.map((outcome) => evalRecord(subject, outcome)),
  };
  return context as EvalContext;
}

test('counts the images whose token is longer than the floor', async () => {
  const context = contextOf([
    [3, 4],
    [0, 1],
    [0, 0],
    [6, 8],
  ]);
  const { records } = await task.run(context, { floor: 2 });
  expect(records).toMatchObject([{ task: '${kebab}', value: 0.5, evaluated: 4, hyper: { floor: 2 } }]);
});
`;
