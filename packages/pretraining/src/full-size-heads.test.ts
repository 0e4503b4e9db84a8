import { freemem } from 'node:os';
import { dinoLoss, ibotLoss, type Level, totalLoss } from '@franca/losses';
import { type HeadConfig, headSpecs, matryoshkaConfig, projectionHead } from '@franca/matryoshka-heads';
import { countParameters, initialise, parametersOf, planChunks, prefixed, prototypeLogits, within } from '@franca/nn';
import { sinkhornTargets } from '@franca/sinkhorn';
import { broadcastTo, compile, createState, literal, randomNormal, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';

/** Heads of ViT-B as trained: 48, 96, 192, 384 and 768 of 768 components, 8,192 to 131,072 prototypes. */
const D = 768;
const heads = { dino_head: matryoshkaConfig(D), ibot_head: matryoshkaConfig(D, 131072, { bottleneckDim: 256 }) };
const images = 2;
const localCrops = 8;
/** Two patches in each of two of the four global crops. */
const maskedPatches = 4;
const patchWeight = 0.5;

const specs = Object.assign({}, ...Object.entries(heads).map(([name, head]) => prefixed(name, headSpecs(head))));
const needed = 4 * countParameters(specs) + 2 ** 31;

test.skipIf(freemem() < needed)('full-size heads start at the analytic losses', async () => {
  await using gpu = await openGpu();
  using state = createState(gpu, { weights: specs });
  await initialise(gpu, state, 'weights', specs, 1);
  using step = await compile(
    gpu,
    ({ weights }, { seed }) => {
      const p = parametersOf(weights.tensors);
      const levels = (name: keyof typeof heads, student: Tensor, teacher: Tensor): Level[] => {
        const head: HeadConfig = heads[name];
        const targetHead = projectionHead(within(p, name), teacher, head);
        return projectionHead(within(p, name), student, head).map(({ features, prototypes }, i) => {
          const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows: features.shape[0]! });
          const targets = sinkhornTargets(
            prototypeLogits(targetHead[i]!.features, prototypes, { temperature: 0.04, plan }),
          );
          return { student: prototypeLogits(features, prototypes, { temperature: 0.1, plan }), targets };
        });
      };
      // normal numbers stand for the normalised tokens of a backbone at its start
      const tokens = (rows: number, stream: number) => randomNormal(seed, [rows, D], stream);
      const dino = levels('dino_head', tokens((2 + localCrops) * images, 0), tokens(2 * images, 1));
      const ibot = levels('ibot_head', tokens(maskedPatches, 2), tokens(maskedPatches, 3));
      const weight = broadcastTo(literal(patchWeight), [maskedPatches]);
      const { optimised, logged } = totalLoss({
        dino: dinoLoss(dino),
        ibot: ibotLoss(ibot, weight, 2 * images),
        koleo: [literal(0), literal(0)],
      });
      return { optimised, ...logged };
    },
    { state, batch: { seed: { shape: [2], dtype: 'u32' } } },
  );
  step.run({ seed: [3, 4] });
  const value = async (name: Parameters<typeof step.read>[0]) => (await step.read(name))[0]!;
  const uniform = heads.dino_head.levels.reduce((sum, { prototypes }) => sum + Math.log(prototypes), 0);
  expect(uniform).toBeCloseTo(51.986, 3);
  // predictions are near uniform, not uniform: within half a percent
  const near = (expected: number) => 0.005 * expected;
  for (const [name, expected] of [
    ['dino_local_crops_loss', (16 / 18) * uniform],
    ['dino_global_crops_loss', (2 / 18) * uniform],
    ['ibot_loss', uniform / 4],
    ['total_loss', 64.983],
    ['optimised', 77.979],
  ] as const)
    expect(Math.abs((await value(name)) - expected), name).toBeLessThan(near(expected));
});
