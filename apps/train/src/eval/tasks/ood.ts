/**
 * Out-of-distribution detection. Foreign images come from other data sets, or, where none is given, from two of every five classes: the rest is what
 * the classifier knows.
 */
import { shuffledOrder } from '@franca/data';
import { type LabelledFeatures, linearProbe, oodDetection } from '@franca/evals';
import { TrainError } from '../../errors';
import { namedData, positiveInteger } from '../../options/option-values';
import type { EvalContext } from '../context';
import { probeBatch } from '../linear-training';
import type { ImagePart, Parts } from '../part';
import type { EvalTask } from '../task';

interface Options {
  readonly outside?: Readonly<Record<string, string>>;
  readonly neighbour?: number;
}

export const task: EvalTask = {
  name: 'ood',
  about: 'out-of-distribution detection by eight scores (paper Fig. 8)',
  reads: 'labelled',
  order: 5,
  options: (command) =>
    command
      .option(
        '--outside <name=data>',
        'foreign images; may be repeated (default: two of every five classes)',
        namedData,
      )
      .option('--neighbour <k>', 'of the k-NN score (default: 50)', positiveInteger),
  async run(context, { outside, neighbour }: Options) {
    const parts = { train: await context.labelled('train'), test: await context.labelled('test') };
    const others = await foreignParts(context, outside ?? {});
    const { train, inside, foreign } = outside
      ? {
          train: parts.train.features.labelled,
          inside: parts.test.features.labelled,
          foreign: Object.fromEntries(others.map(([name, { features }]) => [name, features.labelled])),
        }
      : splitClasses(parts);
    const { backend } = context;
    const { probe } = await linearProbe(probeOf(train), probeOf(inside), {
      backend,
      blocks: [1],
      batchSize: probeBatch(train.labels.length),
    });
    const { outcomes, detections } = await oodDetection(
      { train, classifier: probe.classifier },
      { inside, outside: foreign },
      { backend, k: neighbour ?? Math.min(50, train.labels.length) },
    );
    return {
      records: context.records(
        parts.test,
        outcomes,
        ({ total }) => total,
        others.map(([, part]) => part),
      ),
      section: {
        text: 'Foreign images count as positive. Logit scores are those of a linear probe on CLS tokens.',
        tables: [
          {
            columns: ['score', 'against', 'AUROC %', 'FPR95 %', 'AUPR-in %', 'AUPR-out %'],
            rows: detections.map(({ score, set, auroc, fpr95, auprIn, auprOut }) => [
              score,
              set,
              ...[auroc, fpr95, auprIn, auprOut].map((share) => 100 * share),
            ]),
          },
        ],
      },
    };
  },
};

const probeOf = ({ dim, cls, labels }: LabelledFeatures) => ({ dim, blocks: [cls], labels });

async function foreignParts(
  context: EvalContext,
  data: Readonly<Record<string, string>>,
): Promise<[string, ImagePart][]> {
  const parts: [string, ImagePart][] = [];
  for (const [name, spec] of Object.entries(data)) parts.push([name, await context.other(spec)]);
  return parts;
}

/** Known classes with new numbers, and the images of the others as a foreign set. */
function splitClasses({ train, test }: Parts<ImagePart>) {
  const present = [...new Set(train.features.labelled.labels)].sort((a, b) => a - b);
  const classes = present.length;
  if (classes < 4)
    throw new TrainError('data', `${classes} classes are too few to leave some out; name foreign data with --outside`);
  const order = shuffledOrder(classes, 0, 0);
  const known = Array.from({ length: Math.ceil(classes * 0.6) }, (_, i) => present[order(i)]!).sort((a, b) => a - b);
  const numbers = new Map(known.map((label, number) => [label, number]));
  const heldOut = `${classes - known.length} held-out classes`;
  return {
    train: itemsOf(train.features.labelled, numbers),
    inside: itemsOf(test.features.labelled, numbers),
    foreign: { [heldOut]: itemsOf(test.features.labelled, undefined, numbers) },
  };
}

/** Items whose class is in `kept`, renumbered, or is not in `left`. */
function itemsOf(
  { dim, cls, labels }: LabelledFeatures,
  kept: ReadonlyMap<number, number> | undefined,
  left?: ReadonlyMap<number, number>,
): LabelledFeatures {
  const rows = [...labels.keys()].filter((row) => (kept ? kept.has(labels[row]!) : !left!.has(labels[row]!)));
  const out = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) out.set(cls.subarray(row * dim, (row + 1) * dim), i * dim);
  return { dim, cls: out, labels: Int32Array.from(rows, (row) => kept?.get(labels[row]!) ?? 0) };
}
