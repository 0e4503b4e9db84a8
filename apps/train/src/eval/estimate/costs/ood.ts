/** What out-of-distribution detection costs: a classifier, where none is loaded, and scores of all images, one of which searches train. */
import { NEEDS_TRAIN, OOD_SCORES, type OodScore, oodDetection } from '@franca/evals';
import { type ImageSet, requireLabels } from '../../../image-sets/image-set';
import { probeBatch } from '../../linear-training';
import { type OodData, openOodSets } from '../../ood-sets';
import { follow, type OodValues, PAPER_OOD, type ProtocolOptions } from '../../paper-protocol';
import { madeUpRows, madeUpTokens } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { probeHeld, probeSizes, probeWork } from './probe';
import { floats, tokensOf } from './readings';
import { searchWork } from './search';

export interface OodCostOptions extends ProtocolOptions, OodData, Partial<OodValues> {
  readonly data?: string;
  readonly probe?: string;
  readonly scores?: readonly OodScore[];
  readonly neighbour?: number;
}

export async function oodCost(question: CostQuestion, options: OodCostOptions): Promise<TaskCost> {
  const { session, backend, context } = question;
  const { protocol, openood, probe, neighbour = 50 } = options;
  const { values, resize } = follow<Partial<OodValues>>({
    ...{ task: 'ood', protocol, paper: PAPER_OOD, given: options, input: context.input() },
  });
  const patchMean = (values.head ?? (openood === undefined ? 'cls' : 'cls+mean')) !== 'cls';
  const { train, judged, scores } = await imagesOf(question, options);
  const shape = { dim: session.model.config.embedDim, blocks: 1, patchMean };
  const dim = (1 + Number(patchMean)) * shape.dim;
  const [test] = judged as [ImageSet];
  const classes = (train ?? test).classes.length;
  const learnt = train?.length ?? 0;
  const images = judged.reduce((sum, set) => sum + set.length, 0);
  const cost = {
    ...{ backend, shape, classes, train: learnt, test: test.length, batchSize: probeBatch(learnt) },
    ...({ select: 'train-holdout', blocks: [1], again: true } as const),
  };
  const search = { name: 'search of the k-NN score', rows: learnt, queries: images, dim, k: neighbour };
  const others = scores.filter((score) => score !== 'knn');
  const held = probeHeld(cost, probeSizes(cost).columns, images + learnt);
  return {
    reads: [...(train ? [train] : []), ...judged].map((set) => tokensOf(question, set, { patchMean, resize })),
    work: [
      ...(probe === undefined ? probeWork(cost) : []),
      ...(scores.includes('knn') ? [searchWork(backend, search)] : []),
      scoresWork(question, { dim, classes, scores: others, images: images + learnt }),
    ],
    held: { ...held, host: held.host + 2 * floats(dim, 2 * dim) },
  };
}

/** What is learnt from, where anything is, and what is scored: known images first, then foreign ones. */
async function imagesOf({ sets, opened: closing, context }: CostQuestion, options: OodCostOptions) {
  const { probe, data, openood, scores: asked = OOD_SCORES } = options;
  const hasTrain = probe === undefined || data !== undefined || openood === undefined;
  const scores = hasTrain ? asked : asked.filter((score) => !NEEDS_TRAIN.includes(score));
  const isNeeded = probe === undefined || scores.some((score) => NEEDS_TRAIN.includes(score));
  const own = isNeeded ? requireLabels(await sets('images')) : undefined;
  const { inside, outside } = await openOodSets(options);
  const foreign = [...outside.values()];
  closing.push(...foreign, ...(inside ? [inside] : []));
  const test = inside ?? own?.test ?? (await context.tested());
  return { train: own?.train, judged: [test, ...foreign], scores };
}

interface Scores {
  readonly dim: number;
  readonly classes: number;
  readonly scores: readonly OodScore[];
  readonly images: number;
}

const SOME = 128;

function scoresWork({ backend }: CostQuestion, { dim, classes, scores, images }: Scores): Work {
  const weight = { data: madeUpRows(classes, dim, 2), rows: classes, cols: dim };
  const classifier = { weight, bias: new Float32Array(classes) };
  return {
    name: 'other scores',
    units: scores.length === 0 ? 0 : images,
    trial: (scale) => {
      const some = Math.max(SOME, 2 * classes) * scale;
      const [train, inside, foreign] = [0, 1, 2].map((seed) => madeUpTokens(some, dim, classes, seed));
      return {
        units: 3 * some,
        run: () =>
          oodDetection(
            { classifier, train: train! },
            { inside: inside!, outside: { foreign: foreign! } },
            { backend, scores },
          ),
      };
    },
  };
}
