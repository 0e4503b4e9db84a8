/** Whether kernels compute on this card what they should: those of the step, every one of products, attention, and the same bits twice. */
import { attention, checkHalfKernels, layoutState, matmul, planStep, productsOf, timeVariants } from '@franca/tensor';
import { checkOp } from '@franca/tensor/testing';
import { openStep } from '../../pretraining-step';
import type { Stage, StageContext, StageReport } from '../stage';
import { nameOf } from '../step-ops';
import { openForStage, stepFor } from '../step-options';

export const smoke: Stage = {
  name: 'smoke',
  about: 'the kernels of the step, every kernel of products, attention, the same bits twice',
  seconds: 120,
  run,
};

async function run(context: StageContext, report: StageReport): Promise<void> {
  const failures: string[] = [];
  const fail = (text: string): void => {
    failures.push(text);
    report.note(`WRONG: ${text}`);
  };
  await checkStep(context, report, fail);
  await checkVariants(context, report, fail);
  await checkAttention(context, report, fail);
  await checkReplay(context, report, fail);
  if (failures.length > 0) throw new Error(`${failures.length} checks failed: ${failures[0]}`);
}

type Fail = (text: string) => void;

/** Share of the stage's time that the kernels of the step may take. */
const STEP_SHARE = 0.5;

/** Every f16 kernel of the step at its own shapes, against the same in f32. */
async function checkStep(context: StageContext, report: StageReport, fail: Fail): Promise<void> {
  if (context.precision === 'f32') {
    report.note('the step has no f16 kernels in this precision');
    return;
  }
  await using gpu = await openForStage(context, { tuning: false });
  const found = await checkHalfKernels(gpu, stepFor(context, gpu).plan, { seconds: STEP_SHARE * context.seconds });
  report.detail('stepKernels', found);
  const { checked, failures, uncovered, seconds } = found;
  const beside = `${failures.length} wrong, ${uncovered.length} tasks not covered, ${seconds.toFixed(0)} s`;
  report.figure({ name: 'f16 kernels of the step', value: checked, unit: 'checked', beside });
  for (const { kernel, problem } of failures) fail(`${kernel}: ${problem}`);
  for (const [reason, count] of counted(uncovered.map((task) => task.reason)))
    report.note(`not covered: ${count} tasks, as ${reason}`);
}

/** How often each text occurs. */
function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** Products [M, K] [K, N] whose edges no tile divides. */
const RAGGED = { M: 200, N: 136, K: 392 };
const RAGGED_DRY = { M: 40, N: 24, K: 72 };
/** Share of the stage's time that the kernels of products may take. */
const PRODUCTS_SHARE = 0.3;

/** Every kernel that can compute a product, in every layout, against f64. */
async function checkVariants(context: StageContext, report: StageReport, fail: Fail): Promise<void> {
  const { dry, precision } = context;
  await using gpu = await openForStage(context, { tuning: false, ...(dry ? { target: { family: 'gpu' } } : {}) });
  const { M, N, K } = dry ? RAGGED_DRY : RAGGED;
  const dtypes = precision === 'f16' ? (['f16', 'f32'] as const) : (['f32'] as const);
  // tests of the engine try the others
  const layouts = (dry ? [false] : [false, true]).flatMap((transposeA) =>
    [false, true].map((transposeB) => ({ transposeA, transposeB })),
  );
  const seconds = (PRODUCTS_SHARE * context.seconds) / (dtypes.length * layouts.length);
  let [right, wrong, untried] = [0, 0, 0];
  for (const dtype of dtypes)
    for (const { transposeA, transposeB } of layouts) {
      const a = { shape: transposeA ? [K, M] : [M, K], dtype };
      const b = { shape: transposeB ? [N, K] : [K, N], dtype };
      const plan = planStep(
        gpu.target,
        layoutState({}, gpu.target),
        (_, x) => matmul(x.a, x.b, { transposeA, transposeB }),
        { batch: { a, b } },
      );
      const [product] = productsOf(plan);
      const name = nameOf(product!);
      for (const found of await timeVariants(gpu, product!, { which: 'all', seconds })) {
        const { variant, agrees, difference } = found;
        const problem = found.problem ?? `differs by ${difference?.toPrecision(2)} of its largest value`;
        if (agrees) right++;
        else if (found.untried) {
          untried++;
          report.note(`${name} by ${variant}: ${problem}`);
        } else {
          wrong++;
          fail(`${name} by ${variant}: ${problem}`);
        }
      }
    }
  const beside = `${wrong} wrong, ${untried} not tried, in ${layouts.length} layouts`;
  report.figure({ name: 'kernels of products', value: right, unit: 'right', beside });
}

/** Attention of tokens [2, N, 3 * heads * 64], forward and backward, in f32 against f64 and finite differences. */
async function checkAttention(context: StageContext, report: StageReport, fail: Fail): Promise<void> {
  await using gpu = await openForStage(context, { tuning: false });
  const heads = 2;
  for (const tokens of context.dry ? [9] : [50, 257])
    try {
      const { forward, gradient } = await checkOp(
        gpu,
        (qkv) => attention(qkv, heads),
        [{ shape: [1, tokens, 3 * heads * 64] }],
        {
          gradientTolerance: 1e-4,
          directions: 2,
        },
      );
      report.figure({
        name: `attention of ${tokens} tokens`,
        value: Math.max(forward, gradient),
        unit: 'largest difference',
        beside: 'f32, forward and backward',
      });
    } catch (error) {
      fail(`attention of ${tokens} tokens: ${(error as Error).message.split('\n')[0]}`);
    }
}

const REPLAYED = ['backbone.blocks.0.attn.qkv.weight', 'backbone.patch_embed.proj.weight', 'backbone.norm.weight'];

/** Two runs of the same steps from the same weights, each with a device of its own, give the same bits. */
async function checkReplay(context: StageContext, report: StageReport, fail: Fail): Promise<void> {
  const [first, second] = [await bitsOf(context, report), await bitsOf(context, report)];
  const names = Object.keys(first).filter((name) => first[name] !== second[name]);
  if (names.length > 0) fail(`a second run gave other bits of ${names.join(', ')}`);
  report.figure({
    name: 'the same bits twice',
    value: Object.keys(first).length - names.length,
    unit: `of ${Object.keys(first).length} tensors`,
    beside: `loss ${first.loss}`,
  });
}

async function bitsOf(context: StageContext, report: StageReport): Promise<Record<string, string | number>> {
  await using gpu = await openForStage(context, { tuning: false });
  const fitted = stepFor(context, gpu);
  report.detail('memory', fitted.note);
  using opened = await openStep(gpu, fitted);
  const { step, state, batch, knobs } = opened;
  step.run(batch, knobs);
  step.run({}, knobs);
  const bits: Record<string, string | number> = { loss: (await step.read('loss'))[0]! };
  for (const name of REPLAYED) bits[name] = checksum(await state.read('student', name));
  return bits;
}

/** FNV-1a over the bytes of numbers. */
function checksum(values: ArrayLike<number>): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(Float32Array.from(values).buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
