/** One step run by several ranks, which really exchange values, against one rank that holds the whole batch. */
import { matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import {
  compile,
  createState,
  defaultTarget,
  exchangesOf,
  type Gpu,
  layoutState,
  planStep,
  type State,
  sizeOf,
  type TensorTree,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vitConfig } from '@franca/vit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockstepRanks } from '../../../test/support/lockstep-ranks';
import type { PretrainChoices } from './choices';
import { drawInputs } from './inputs';
import { pretrainOptions } from './official-options';
import type { PretrainOptions } from './options';
import { microStepKnobs, pretrainSignature } from './signature';
import { initialisePretraining, type PretrainGroups, pretrainGroups } from './state';
import { pretrainStep, recordPretrainStep } from './step';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const IMAGES = 4;
const LOCALS = 2;
const D = 16;
const headOf = (width: number) => ({
  ...matryoshkaConfig(width, 0, { hiddenDim: 12, bottleneckDim: 8 }),
  levels: matryoshkaLevels(width, 192, [width / 2, width]),
});
const head = headOf(D);
const vit = vitConfig('tiny', { embedDim: D, depth: 1, numHeads: 2, imgSize: 28, patchSize: 7, layerScale: 0.5 });
const choices: Omit<PretrainChoices, 'batch' | 'ranks'> = {
  seed: 3,
  vit,
  dropPathRates: [0.3],
  crops: { local_crops_size: 14, local_crops_number: LOCALS },
  heads: { dino: head, ibot: head },
  // an update that does not turn the rounding of a gradient near 0 into a whole step
  adamW: { eps: 0.01 },
  schedule: { iterations: 10 },
};
const KNOBS = { lr: 0.01, lastLayerLr: 0.01, weightDecay: 0.05, momentum: 0.9, teacherTemp: 0.05 };

/** Crop `crop` of an image in a micro-step. */
const picture = (side: number, crop: number, image: number, microStep: number): number[] =>
  Array.from({ length: 3 * side * side }, (_, i) =>
    Math.sin(1 + i * i * 0.013 + 2.1 * crop + 1.3 * image + 0.7 * microStep),
  );

/** Crops of the images of a rank, crop by crop. */
const pictures = (
  side: number,
  crops: readonly number[],
  { batch: { perDevice: b }, ranks }: PretrainOptions,
  microStep: number,
) =>
  Float32Array.from(
    crops.flatMap((crop) =>
      Array.from({ length: b }, (_, i) => picture(side, crop, ranks.rank * b + i, microStep)).flat(),
    ),
  );

/** Weights as of a model that has learned something: tokens and targets that differ from image to image. */
function writeWeights(state: State<PretrainGroups>): void {
  for (const [phase, from] of (['student', 'teacher', 'frozen_teacher'] as const).entries())
    Object.entries(state.layout[from].segments).forEach(([name, { shape }], i) => {
      const fanIn = sizeOf(shape.slice(1));
      const wave = (j: number) => Math.sin(1 + i + 0.1 * phase + (j + 1) ** 2 * 0.37) * Math.sqrt(2 / fanIn);
      if (name.endsWith('weight_g')) state.write(from, name, new Float32Array(shape[0]!).fill(2));
      else if (shape.length > 1)
        state.write(
          from,
          name,
          Float32Array.from({ length: sizeOf(shape) }, (_, j) => wave(j)),
        );
    });
}

interface Setup {
  readonly size: number;
  readonly group: number;
  readonly choices?: Partial<PretrainChoices>;
  readonly accumulation?: number;
  readonly microSteps?: number;
  readonly before?: (state: State<PretrainGroups>) => void;
  /** Changes what a rank was going to see. */
  readonly damage?: (inputs: { readonly masksWeight: Float32Array }, rank: number, microStep: number) => void;
}

/** What a rank has in the end. */
interface Outcome {
  readonly metrics: readonly Record<string, number>[];
  readonly choices: readonly number[];
  readonly student: Float32Array;
  readonly teacher: Float32Array;
  /** Of the last micro-step, summed over ranks (and micro-steps). */
  readonly gradient: ReadonlyMap<string, Float32Array>;
  readonly optimizer: ReadonlyMap<string, Float32Array>;
  /** Squared norm of the rank's own gradient of the first bias of the iBOT head, in the last micro-step. */
  readonly own: number;
  readonly masked: readonly number[];
}

async function train({ size, group, accumulation = 1, microSteps = 3, ...setup }: Setup): Promise<Outcome[]> {
  return Promise.all(
    lockstepRanks(size).map(async (ranks) => {
      const options = pretrainOptions({
        ...choices,
        ...setup.choices,
        batch: { perDevice: IMAGES / size, group, accumulation },
        ranks: { rank: ranks.rank, size },
      });
      using state = createState(gpu, pretrainGroups(options));
      await initialisePretraining(gpu, state, options);
      writeWeights(state);
      setup.before?.(state);
      using step = await compile(
        gpu,
        (groups, batch, knobs): TensorTree => {
          const { outputs, gradients } = recordPretrainStep({ groups, batch, knobs }, options, {});
          const name = Object.keys(gradients).find((each) =>
            each.startsWith(options.heads.ibot ? 'ibot_head' : 'dino_head'),
          )!;
          return { ...outputs, own: gradients[name]! };
        },
        { ...pretrainSignature(options), state, ranks },
      );
      const masked: number[] = [];
      for (let i = 0; i < microSteps; i++) {
        const { inputs, nMasked } = drawInputs(options, i);
        setup.damage?.(inputs, ranks.rank, i);
        masked.push(nMasked);
        const crops = {
          globalCrops: pictures(28, [0, 1], options, i),
          localCrops: pictures(
            14,
            Array.from({ length: LOCALS }, (_, crop) => 2 + crop),
            options,
            i,
          ),
        };
        step.run({ ...crops, ...inputs }, { ...KNOBS, nMasked, ...microStepKnobs(options, i % accumulation) });
        await step.done();
      }
      const read = async (from: keyof PretrainGroups) => {
        const names = Object.keys(state.layout[from].segments);
        return new Map(
          await Promise.all(
            names.map(async (name) => [name, Float32Array.from(await state.read(from, name))] as const),
          ),
        );
      };
      const whole = async (from: 'student' | 'teacher') =>
        Float32Array.from([...(await read(from)).values()].flatMap((part) => [...part]));
      return {
        metrics: (await step.metrics()).rows as readonly Record<string, number>[],
        choices: [...(await step.read('choices'))],
        student: await whole('student'),
        teacher: await whole('teacher'),
        gradient: await read(accumulation > 1 ? 'accumulated' : 'gradient'),
        optimizer: await read('optimizer'),
        own: [...(await step.read('own'))].reduce((sum, g) => sum + g * g, 0),
        masked,
      };
    }),
  );
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (a: ArrayLike<number>, c: ArrayLike<number>): number =>
  largest(Array.from(a, (value, i) => value - c[i]!));

/** Rows of [rank, view, image] by view and image. */
const inOrder = (rows: readonly number[], size: number): number[] =>
  [0, 1].flatMap((view) =>
    Array.from({ length: IMAGES }, (_, image) => {
      const b = IMAGES / size;
      return rows[Math.floor(image / b) * 2 * b + view * b + (image % b)]!;
    }),
  );

/** Several ranks did what one rank did that held all images, up to the order of sums. */
function expectSame(ranks: readonly Outcome[], alone: Outcome, accumulation = 1): void {
  const [first, ...others] = ranks;
  // the norms of gradients that are not complete are each rank's own
  const whole = ({ metrics }: Outcome) => metrics.filter((_, i) => (i + 1) % accumulation === 0);
  for (const other of others) {
    expect(other.student).toEqual(first!.student);
    expect(other.teacher).toEqual(first!.teacher);
    expect(whole(other)).toEqual(whole(first!));
    expect(other.choices).toEqual(first!.choices);
    expect(other.optimizer).toEqual(first!.optimizer);
  }
  whole(alone).forEach((row, i) => {
    // sums of a few hundred f32 terms in another order, relative
    for (const [name, value] of Object.entries(row))
      expect(
        Math.abs(whole(first!)[i]![name]! - value) / Math.max(1, Math.abs(value)),
        `${name} of step ${i}`,
      ).toBeLessThan(2e-6);
  });
  expect(inOrder(first!.choices, ranks.length)).toEqual(alone.choices);
  // of attention keys the gradient of the bias is 0, and rounding noise is all there is of it
  for (const [name, gradient] of alone.gradient)
    expect(apart(first!.gradient.get(name)!, gradient), name).toBeLessThan(5e-5 * largest(gradient) + 1e-7);
  // centres, mostly
  for (const [name, value] of alone.optimizer)
    expect(apart(first!.optimizer.get(name)!, value), name).toBeLessThan(2e-6 * Math.max(1, largest(value)));
  // weights of up to 2, whose updates lr g / (|g| + eps) differ by 1e-6 / eps of lr where g is smallest
  expect(apart(first!.student, alone.student)).toBeLessThan(2e-6);
  expect(apart(first!.teacher, alone.teacher)).toBeLessThan(1e-6);
}

describe.each<[string, Omit<Setup, 'size'>, number[]]>([
  ['a group that is spread over ranks', { group: 4 }, [2, 4]],
  ['a group for each rank', { group: 2 }, [2]],
  ['KoLeo over all images', { group: 2, choices: { koleoDistributed: true } }, [2]],
  [
    'softmax centering, one head for both losses',
    { group: 2, choices: { centering: 'centering', heads: { dino: head, ibot: undefined } } },
    [2],
  ],
  [
    'a frozen teacher that is wider',
    {
      group: 4,
      choices: {
        dropPathRates: [0],
        distillation: { vit: { ...vit, embedDim: 24 }, heads: { dino: headOf(24), ibot: headOf(24) } },
      },
    },
    [2],
  ],
  ['an update of two micro-steps', { group: 4, accumulation: 2, microSteps: 4 }, [2]],
])('%s', (_, setup, sizes) => {
  test('is trained as by one rank, and all ranks end with the same bits', async () => {
    const [alone] = await train({ ...setup, size: 1 });
    for (const size of sizes) expectSame(await train({ ...setup, size }), alone!, setup.accumulation);
  });
});

test('the same run twice gives the same bits', async () => {
  const setup = { size: 2, group: 4 };
  const [first, again] = [await train(setup), await train(setup)];
  for (const of of ['metrics', 'student', 'teacher', 'optimizer'] as const)
    expect(again[0]![of]).toEqual(first[0]![of]);
});

test('a rank without any masked patch', async () => {
  const setup = { group: 4, microSteps: 1, choices: { seed: 5, masks: { probability: 0.25 } } };
  const ranks = await train({ ...setup, size: 4 });
  expect(ranks.some(({ masked }) => masked[0] === 0)).toBe(true);
  expectSame(ranks, (await train({ ...setup, size: 1 }))[0]!);
});

test('gradients that are not finite on one rank: both leave the step out, and the loss scale halves', async () => {
  const setup = { size: 2, group: 2, choices: { lossScaling: true } };
  const before = await train({ ...setup, microSteps: 1 });
  const ranks = await train({
    ...setup,
    microSteps: 2,
    damage: ({ masksWeight }, rank, microStep) => {
      // times the loss scale, 65536, more than f32 holds
      if (rank === 1 && microStep === 1) masksWeight.set(masksWeight.map((weight) => weight * 1e36));
    },
  });
  expect(ranks.map(({ own }) => Number.isFinite(own))).toEqual([true, false]);
  for (const { metrics, student, optimizer } of ranks) {
    expect(metrics.map(({ finite }) => finite)).toEqual([1, 0]);
    expect(student).toEqual(before[0]!.student);
    expect([...optimizer.get('loss_scale')!]).toEqual([32768, 0]);
  }
});

/** What ranks of a small step exchange. */
function exchanged(batch: PretrainChoices['batch'], size: number) {
  const options = pretrainOptions({ ...choices, batch, ranks: { rank: 0, size } });
  const layout = layoutState(pretrainGroups(options), defaultTarget);
  const plan = planStep(defaultTarget, layout, pretrainStep(options), pretrainSignature(options));
  const messages = exchangesOf(plan).map(({ kind, how, sent, when }) => [
    kind === 'allReduce' ? how : kind,
    sent,
    when,
  ]);
  return { messages, gradients: layout.gradient.windows.map(({ elements }) => elements) };
}

test('a message for each Sinkhorn iteration, of all levels of both heads; KoLeo there and back; gradients; metrics', () => {
  const { messages, gradients } = exchanged({ perDevice: 2, group: 4 }, 2);
  expect(messages).toEqual([
    ...new Array(3).fill(['logSumExp', 2 * (96 + 192), undefined]),
    ['allGather', 4 * D, undefined],
    ['reduceScatter', 2 * 4 * D, undefined],
    ...gradients.map((elements) => ['sum', elements, undefined]),
    // seven scalars and the choices of both views
    ['allGather', 7 + 4, undefined],
  ]);
});

test('KoLeo of whole groups stays on the rank, and gradients of several micro-steps are exchanged once', () => {
  const { messages, gradients } = exchanged({ perDevice: 4, group: 2, accumulation: 2 }, 2);
  expect(messages.slice(3)).toEqual([
    ...gradients.map((elements) => ['sum', elements, 'lastMicroStep']),
    ['allGather', 7 + 8, undefined],
  ]);
});

test('with one rank nothing is exchanged', () => {
  expect(exchanged({ perDevice: 4, group: 2, accumulation: 2 }, 1).messages).toEqual([]);
});
