/**
 * Franca's pretraining in a page: a small vision transformer learns from pictures without labels, on the generated world.
 *
 * Of every picture the teacher sees two large crops, the student the same with patches masked, and small crops beside.
 * The student predicts how the teacher sorts the crops and the masked patches among prototypes, at every width of the
 * embedding; the teacher follows the student slowly. One compiled step does all of it. A student that knows nothing has
 * a loss of about 1.5 times the sum of ln K over the levels of K prototypes: half of the crops are masked.
 *
 *   npx tsx examples/pretrain-in-a-page.ts
 */
import {
  drawMultiCrop,
  FRANCA_MULTI_CROP,
  generatedWorld,
  multiCropRecipes,
  placeMultiCrop,
  renderViews,
} from '@franca/data';
import { matryoshkaConfig } from '@franca/matryoshka-heads';
import {
  drawInputs,
  initialisePretraining,
  pretrainGroups,
  pretrainOptions,
  pretrainSignature,
  pretrainStep,
  schedules,
} from '@franca/pretraining';
import { compile, createState } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vitConfig } from '@franca/vit';

const iterations = 100;
const images = 16;
const pictures = generatedWorld({ length: 64, size: 64 });

const crops = { global_crops_size: 32, local_crops_size: 16, local_crops_number: 4 };
// levels of 4, 8, 16, 32 and 64 components with 16 to 256 prototypes
const head = matryoshkaConfig(64, 256, { hiddenDim: 128, bottleneckDim: 32, initStd: 0.1 });
const options = pretrainOptions({
  vit: vitConfig('tiny', { embedDim: 64, depth: 2, numHeads: 2, imgSize: 32, patchSize: 8, layerScale: 1 }),
  heads: { dino: head, ibot: head },
  batch: { perDevice: images },
  crops,
  // a run this short is over before the official, slow start is
  schedule: { iterations, lr: 2e-3, momentum: [0.95, 1], teacherTemp: [0.02, 0.02] },
});
const schedule = schedules(options.schedule);
const signature = pretrainSignature(options);
const recipes = multiCropRecipes({ ...FRANCA_MULTI_CROP, ...crops });

await using gpu = await openGpu();
using state = createState(gpu, pretrainGroups(options));
await initialisePretraining(gpu, state, options);
using step = await compile(gpu, pretrainStep(options), { ...signature, state });
const chance = 1.5 * head.levels.reduce((sum, { prototypes }) => sum + Math.log(prototypes), 0);
console.log(
  `One step is ${step.report.kernels} kernels in ${(step.report.totalBytes / 2 ** 20).toFixed(1)} MiB. Knowing nothing costs ${chance.toFixed(2)}.`,
);

for (let i = 0; i < iterations; i++) {
  const { inputs, nMasked } = drawInputs(options, i);
  step.run({ ...cut(i), ...inputs }, { ...schedule(i), nMasked });
  if ((i + 1) % 10 > 0) continue;
  const { loss, teacher_entropy } = await step.latest();
  console.log(`step ${i + 1}/${iterations}  loss ${loss.toFixed(2)}  teacher's entropy ${teacher_entropy.toFixed(2)}`);
}

/** The crops of batch `i`, which takes the pictures where the batch before stopped. */
function cut(i: number): { globalCrops: Float32Array; localCrops: Float32Array } {
  const positions = Array.from({ length: images }, (_, k) => i * images + k);
  const batch = positions.map((position) => pictures.sample(position % pictures.length).image);
  const views = placeMultiCrop(
    batch.map((image, k) => drawMultiCrop(recipes, image, { seed: 0, position: positions[k]! })),
  );
  return {
    globalCrops: renderViews(batch, views.global).data,
    localCrops: renderViews(batch, views.local).data,
  };
}
