/** What the check of browsers computes, on any device: the same file runs in a page and in Node, and the numbers are compared. */
import { type BytesOrAddress, openSafetensors, safetensorsBytes } from '@franca/checkpoint/bytes';
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
import { CLASSIFIED, type Numbers } from './outcome';

/** A published classifier: its file of weights, and one of normalised pictures, `input` [B, 3, 224, 224]. */
export interface Classifier {
  readonly weights: BytesOrAddress;
  readonly pictures: BytesOrAddress;
}

/** Runs everything, one after the other; of a classifier, the logits of its pictures. */
export async function numbers(gpu: Gpu, classifier?: Classifier): Promise<Numbers> {
  const all: Numbers = {};
  for (const [name, part] of Object.entries(PARTS)) all[name] = Array.from(await part(gpu));
  if (classifier) all[CLASSIFIED] = Array.from(await logitsOf(gpu, classifier));
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

/** A part for each thing that a page would do. */
const PARTS: Record<string, (gpu: Gpu) => ArrayLike<number> | Promise<ArrayLike<number>>> = {
  'a training step': trained,
  'a ViT from a checkpoint in memory': features,
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

/** Features of two pictures by a small ViT with made-up weights, which go through a file in memory. */
async function features(gpu: Gpu): Promise<number[]> {
  const specs = vitSpecs(vitConfig('tiny', { embedDim: 32, numHeads: 2, depth: 2, imgSize: 28 }));
  const tensors = Object.entries(specs).map(([name, { shape }], at) => {
    const data = waves(sizeOf(shape), at).map((value) => 0.2 * value);
    return { name, dtype: 'f32', shape, data } as const;
  });
  await using file = await openSafetensors(new Blob([await safetensorsBytes(tensors)]));
  using model = await loadVit(gpu, file, { known: { numHeads: 2 } });
  const { cls, patches } = await model.run(
    { data: waves(2 * 3 * 28 * 28, 2), shape: [2, 3, 28, 28] },
    { patches: true },
  );
  return [...cls, ...patches, ...(await file.readFloat32('blocks.1.attn.qkv.weight'))];
}

/** Logits [B, classes] of a ViT with a linear head on CLS. */
async function logitsOf(gpu: Gpu, { weights, pictures }: Classifier): Promise<Float32Array> {
  await using file = await openSafetensors(weights);
  await using input = await openSafetensors(pictures);
  using model = await loadVit(gpu, file);
  const images = { data: await input.readFloat32('input'), shape: input.tensors.get('input')?.shape as Shape4 };
  const { cls, dim } = await model.run(images);
  const [weight, bias] = [await file.readFloat32('head.weight'), await file.readFloat32('head.bias')];
  const score = (picture: number, label: number): number =>
    weight
      .subarray(label * dim, (label + 1) * dim)
      .reduce((sum, value, i) => sum + value * cls[picture * dim + i]!, bias[label]!);
  return Float32Array.from({ length: images.shape[0] * bias.length }, (_, i) =>
    score(Math.floor(i / bias.length), i % bias.length),
  );
}

type Shape4 = readonly [number, number, number, number];

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
