/** What the check of browsers computes, on any device: the same file runs in a page and in Node, and the numbers are compared. */
import { drawMultiCrop, FRANCA_MULTI_CROP, generatedScenes, multiCropRecipes, renderView } from '@franca/data/pixels';
import { targetProbabilities, wholeLogits } from '@franca/nn';
import { sinkhornTargets } from '@franca/sinkhorn';
import { sinkhorn } from '@franca/sinkhorn/arrays';
import {
  assign,
  compile,
  createState,
  div,
  type Gpu,
  gelu,
  grad,
  matmul,
  mean,
  mul,
  sizeOf,
  sub,
} from '@franca/tensor';
import { loadVit, vitConfig, vitSpecs } from '@franca/vit';

/** Outcomes by what gave them. */
export type Numbers = Record<string, number[]>;

/** Runs everything, one after the other. */
export async function numbers(gpu: Gpu): Promise<Numbers> {
  const all: Numbers = {};
  for (const [name, part] of Object.entries(PARTS)) all[name] = Array.from(await part(gpu));
  return all;
}

/** What the browser answers for a device that is lost: the code of the error. */
export async function whenLost(gpu: Gpu): Promise<string> {
  const state = createState(gpu, { model: { w: { shape: [4], dtype: 'f32' } } });
  const lost = gpu.device.lost;
  gpu.device.destroy();
  await lost;
  return state.read('model', 'w').then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );
}

/** A part for each package; what a browser opens from a file (`@franca/checkpoint/bytes`) is one more. */
const PARTS: Record<string, (gpu: Gpu) => ArrayLike<number> | Promise<ArrayLike<number>>> = {
  'a training step': trained,
  'a ViT': features,
  'sinkhorn on the device': deviceTargets,
  'sinkhorn on arrays': () => sinkhorn(waves(96, 1), [8, 12], { temperature: 0.1 }),
  'crops of the generated world': crops,
};

const waves = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(phase + i * (1 + 0.1 * phase)));

/** A layer that learns to give 1: its weights after twenty steps, and the last loss. */
async function trained(gpu: Gpu): Promise<number[]> {
  using state = createState(gpu, { model: { w: { shape: [8, 4], dtype: 'f32' } } });
  state.write('model', 'w', waves(32, 0));
  using step = await compile(
    gpu,
    ({ model }, { x }, { lr }) => {
      const { w } = model.tensors;
      const error = sub(gelu(matmul(x, w, { transposeB: true })), 1);
      const loss = mean(mul(error, error));
      assign(w, sub(w, mul(lr, grad(loss, { w }).w)));
      return { loss };
    },
    { state, batch: { x: { shape: [16, 4], dtype: 'f32' } }, knobs: { lr: [] } },
  );
  for (let i = 0; i < 20; i++) step.run({ x: waves(64, 1) }, { lr: 1 });
  return [...(await state.read('model', 'w')), ...(await step.read('loss'))];
}

/** Features of two pictures by a small ViT with made-up weights. */
async function features(gpu: Gpu): Promise<number[]> {
  const config = vitConfig('tiny', { embedDim: 32, numHeads: 2, depth: 2, imgSize: 28 });
  const specs = vitSpecs(config);
  const names = Object.keys(specs);
  const weights = (name: string) => waves(sizeOf(specs[name]!.shape), names.indexOf(name)).map((value) => 0.2 * value);
  using model = await loadVit(gpu, { config, weights });
  const images = { data: waves(2 * 3 * 28 * 28, 2), shape: [2, 3, 28, 28] as const };
  const { cls, patches } = await model.run(images, { patches: true });
  return [...cls, ...patches];
}

async function deviceTargets(gpu: Gpu): Promise<ArrayLike<number>> {
  using step = await compile(
    gpu,
    (_, { logits }) => targetProbabilities(sinkhornTargets(wholeLogits(div(logits, 0.1)))),
    { batch: { logits: { shape: [8, 12], dtype: 'f32' } } },
  );
  step.run({ logits: waves(96, 1) });
  return step.read('result');
}

/** A picture and two of its training views, in shares of full scale. */
function crops(): number[] {
  const { image } = generatedScenes({ size: 64 }).sample(3);
  const recipes = multiCropRecipes({ ...FRANCA_MULTI_CROP, global_crops_size: 32, local_crops_size: 16 });
  const [first, , local] = drawMultiCrop(recipes, image, { seed: 0, position: 3 });
  const pictures = [image, renderView(image, first!), renderView(image, local!)];
  return pictures.flatMap(({ data }) => Array.from(data, (level) => level / 255));
}
