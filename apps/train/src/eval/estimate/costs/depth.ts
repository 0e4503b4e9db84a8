/** What depth costs at each size: views of train, which are mostly drawn anew for each epoch, steps of the probe, and maps of test. */
import {
  type DepthFeatures,
  type DepthProbe,
  depthMetrics,
  fitDepthRidge,
  openDepthPredictor,
  predictDepthRidge,
  trainDepthProbe,
} from '@franca/evals';
import { inputSides } from '../../../image-sets/preparation';
import type { DepthPart } from '../../depth/depth-part';
import { checkModel, type DepthPlan, type DepthPlanOptions, levelsOf, planDepth } from '../../depth/depth-plan';
import { type DepthSize, depthSizes } from '../../depth/depth-sizes';
import { viewOf } from '../../depth/view-of';
import { madeUpRows, repeated } from '../made-up';
import type { CostQuestion, FeatureReading, TaskCost, Work } from '../task-cost';
import { floats } from './readings';

export interface DepthCostOptions extends DepthPlanOptions {
  readonly depthScale?: number;
  readonly trainData?: string;
  readonly split?: string;
  readonly size?: number;
}

export async function depthCost(question: CostQuestion, options: DepthCostOptions): Promise<TaskCost> {
  const { size: shorter, sizes = shorter === undefined ? undefined : [shorter], ...others } = options;
  const { depthScale, trainData, split } = options;
  const plan = planDepth({ ...others, sizes });
  const part = await question.context.depth({ depthScale, trainData, split });
  const view = await viewOf(part.test, plan.sizes.crop);
  const chosen = depthSizes(view, part.session.model.config.patchSize, plan.sizes);
  checkModel(part.session.weights, plan, chosen);
  const costs = chosen.map((size) => costAt(question, part, plan, size));
  return {
    reads: costs.flatMap(({ reads }) => reads),
    work: costs.flatMap(({ work }) => work),
    held: {
      host: Math.max(...costs.map(({ batch }) => 2 * batch)),
      device: Math.max(...costs.map(({ batch }) => 8 * batch)),
    },
    ...(plan.head && { unknown: ['what the probe itself holds on the device'] }),
  };
}

/** Steps over all epochs. */
export function depthSteps(
  { epochs, batchSize, facts }: Pick<DepthPlan, 'epochs' | 'batchSize' | 'facts'>,
  pictures: number,
): number {
  const each = facts.dropLast ? Math.floor(pictures / batchSize) : Math.ceil(pictures / batchSize);
  return epochs === undefined ? facts.steps! : epochs * each;
}

function costAt(question: CostQuestion, part: DepthPart, plan: DepthPlan, size: DepthSize) {
  const { session, train, test } = part;
  const { facts, head, batchSize, augment } = plan;
  const pictures = train?.length ?? 0;
  const request = { preparation: size.preparation, levels: levelsOf(facts, session.model.config.depth) };
  const steps = head ? depthSteps(plan, pictures) : 0;
  const fresh = head && augment ? { fresh: steps * batchSize } : {};
  const mirrored = { ...request, preparation: { ...size.preparation, flip: true } };
  const reads: FeatureReading[] = [
    ...(train ? [{ set: train, request, ...fresh }] : []),
    { set: test, request },
    ...(facts.flip ? [{ set: test, request: mirrored }] : []),
  ];
  const passes = facts.flip ? 2 : 1;
  const batch = (images: number): DepthFeatures => madeUpDepth(part, plan, size, images);
  const work = head
    ? probeWork(question, plan, { batch, steps, maps: passes * test.length, label: size.label })
    : ridgeWork(question, { batch, pictures, maps: passes * test.length, label: size.label });
  const [first] = batch(1).levels;
  return { reads, work, batch: floats(batchSize, request.levels.blocks.length, first!.length) };
}

interface DepthWork {
  readonly batch: (images: number) => DepthFeatures;
  /** Pictures that are predicted. */
  readonly maps: number;
  readonly label: string;
}

function probeWork(
  { session: { gpu } }: CostQuestion,
  { protocol, head, hidden, batchSize }: DepthPlan,
  { batch, steps, maps, label }: DepthWork & { readonly steps: number },
): Work[] {
  const train = (count: number): Promise<DepthProbe> =>
    trainDepthProbe(gpu, () => repeated(batch(batchSize), count), {
      ...{ protocol, ...(head && { head }), hidden, stepsPerEpoch: count, epochs: 1, batchSize, seed: 0 },
    });
  const predict = async (pictures: number): Promise<void> => {
    using predictor = openDepthPredictor(gpu, await train(1));
    const one = batch(1);
    for (let i = 0; i < pictures; i++) depthMetrics(await predictor.predict(one), one.depths);
  };
  return [
    {
      name: `steps of the probe at ${label}`,
      units: steps,
      trial: (scale) => ({ units: scale, run: () => train(scale) }),
    },
    { name: `maps at ${label}`, units: maps, trial: (scale) => ({ units: scale, run: () => predict(scale) }) },
  ];
}

function ridgeWork(
  { backend }: CostQuestion,
  { batch, pictures, maps, label }: DepthWork & { readonly pictures: number },
): Work[] {
  const one = batch(1);
  const fit = (count: number) => fitDepthRidge([...repeated(one, count)], { backend });
  return [
    {
      name: `ridge regression at ${label}`,
      units: pictures,
      trial: (scale) => ({ units: scale, run: () => fit(scale) }),
    },
    {
      name: `maps at ${label}`,
      units: maps,
      trial: (scale) => ({
        units: scale,
        async run() {
          const ridge = await fit(1);
          for (let i = 0; i < scale; i++) depthMetrics(predictDepthRidge(ridge, one), one.depths);
        },
      }),
    },
  ];
}

function madeUpDepth(
  { session }: DepthPart,
  { facts }: DepthPlan,
  { preparation, depthSize }: DepthSize,
  images: number,
): DepthFeatures {
  const { embedDim, patchSize, depth } = session.model.config;
  const [height, width] = inputSides(preparation);
  const grid = [height / patchSize, width / patchSize] as const;
  const dim = facts.joinCls ? 2 * embedDim : embedDim;
  const levels = levelsOf(facts, depth).blocks.map((block) => madeUpRows(images * grid[0] * grid[1], dim, block));
  const depths = madeUpRows(images, depthSize[0] * depthSize[1]).map((value) => value + 2);
  return { dim, grid, levels, depthSize, depths };
}
