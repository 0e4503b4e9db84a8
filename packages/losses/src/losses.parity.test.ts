import { probabilityTargets, wholeLogits } from '@franca/nn';
import {
  add,
  compile,
  concat,
  constant,
  type Gpu,
  grad,
  l2Normalise,
  mul,
  reshape,
  type Spec,
  sliceAxis,
  type Tensor,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkParity, type ParityFile, parityFile } from '../../../test/support/parity';
import { dinoLoss, type Level } from './dino';
import { ibotLoss } from './ibot';
import { koleoLoss, nearestNeighbours } from './koleo';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

type Stored = Record<string, Tensor>;

/** Compiles a function of tensors of the file (f32) and runs it on their values. */
async function run(file: ParityFile, names: readonly string[], fn: (stored: Stored) => Record<string, Tensor>) {
  const specs = Object.fromEntries(
    names.map((name) => [name, { shape: file.shape(name), dtype: 'f32' } satisfies Spec]),
  );
  const step = await compile(gpu, (_, stored: Stored) => fn(stored), { batch: specs });
  step.run(Object.fromEntries(names.map((name) => [name, file.floats(name)])));
  return step;
}

/** Gradient with respect to tensor x, as `g_x`. */
const gradients = (loss: Tensor, stored: Stored): Stored =>
  Object.fromEntries(Object.entries(grad(loss, stored)).map(([name, own]) => [`g_${name}`, own]));

const value = { relative: 1e-5 };
const gradient = { ofMax: 2e-5 };

describe.each(['loss_dino', 'loss_dino_mrl'])('%s', (name) => {
  const file = parityFile(name);
  const { B, n_local, student_temp, denominator, Ks } = file.config;
  const suffixes: string[] = Ks ? Ks.map((_: number, i: number) => `.${i}`) : [''];
  const tensors = suffixes.flatMap((end) => ['student_global', 'student_local', 'teacher'].map((part) => part + end));

  test('both terms and the gradient of their sum', async () => {
    expect(denominator).toBe(2 + 2 * n_local);
    using step = await run(file, tensors, (stored) => {
      const levels = suffixes.map((end): Level => {
        const student = concat([stored[`student_global${end}`]!, stored[`student_local${end}`]!]);
        const teacher = stored[`teacher${end}`]!;
        return {
          student: wholeLogits(mul(student, 1 / student_temp)),
          targets: probabilityTargets(reshape(teacher, [2 * B, teacher.shape.at(-1)!])),
        };
      });
      const { local, global } = dinoLoss(levels);
      return { local, global, ...gradients(add(local, global), stored) };
    });
    const scaled = async (term: string, scale: number) => (await step.read(term)).map((x) => x * scale);
    checkParity(file, 'local_scaled', await step.read('local'), file.floats('local_scaled'), value);
    checkParity(file, 'global_scaled', await step.read('global'), file.floats('global_scaled'), value);
    checkParity(file, 'local_raw', await scaled('local', denominator), file.floats('local_raw'), value);
    checkParity(file, 'global_raw', await scaled('global', denominator / 2), file.floats('global_raw'), value);
    for (const key of tensors.filter((tensor) => tensor.startsWith('student')))
      checkParity(file, `g_${key}`, await step.read(`g_${key}`), file.floats(`g_${key}`), gradient);
  });
});

describe('loss_ibot', () => {
  const file = parityFile('loss_ibot');
  const { images, student_temp, Ks } = file.config;
  const masked = file.ints('n_masked')[0]!;

  test.each([
    ['single', ['']],
    ['mrl', Ks.map((_: number, i: number) => `.${i}`)],
  ] as [string, string[]][])('%s', async (group, suffixes) => {
    const tensors = suffixes.flatMap((end) => [`${group}.student${end}`, `${group}.teacher${end}`]);
    const rows = file.shape(tensors[0]!)[0]!;
    const weights = Float32Array.from({ length: rows }, (_, p) => (p < masked ? file.floats('masks_weight')[p]! : 0));
    using step = await run(file, tensors, (stored) => {
      const level = (end: string): Level => ({
        student: wholeLogits(mul(stored[`${group}.student${end}`]!, 1 / student_temp)),
        targets: probabilityTargets(stored[`${group}.teacher${end}`]!),
      });
      const w = constant(weights, [rows]);
      const loss = ibotLoss(suffixes.map(level), w, images);
      const each = suffixes.map((end) => [`loss${end}`, ibotLoss([level(end)], w, images)]);
      return { ...Object.fromEntries(each), loss, ...gradients(loss, stored) };
    });
    checkParity(file, `${group}.loss`, await step.read('loss'), file.floats(`${group}.loss`), value);
    for (const end of suffixes) {
      if (file.has(`${group}.loss${end}`))
        checkParity(
          file,
          `${group}.loss${end}`,
          await step.read(`loss${end}`),
          file.floats(`${group}.loss${end}`),
          value,
        );
      const name = `${group}.g_student${end}`;
      checkParity(file, name, await step.read(`g_${group}.student${end}`), file.floats(name), gradient);
    }
  });
});

describe('loss_koleo', () => {
  const file = parityFile('loss_koleo');
  const { weight } = file.config;

  test.each(['random', 'clustered', 'duplicate'])('%s rows', async (group) => {
    using step = await run(file, [`${group}.x`], (stored) => {
      const x = stored[`${group}.x`]!;
      const loss = koleoLoss(x);
      return { loss, nn: nearestNeighbours(l2Normalise(x, 1e-8)), gx: grad(loss, [x])[0]! };
    });
    checkParity(
      file,
      `${group}.loss`,
      await step.read('loss'),
      file.floats(`${group}.loss`),
      group === 'duplicate' ? { absolute: 1e-3 } : value,
    );
    checkParity(file, `${group}.nn`, await step.read('nn'), file.ints(`${group}.nn`), {});
    if (file.has(`${group}.gx`))
      checkParity(file, `${group}.gx`, await step.read('gx'), file.floats(`${group}.gx`), { ofMax: 1e-4 });
    expect((await step.read('gx')).every(Number.isFinite)).toBe(true);
  });

  test('the weighted term of two views', async () => {
    using step = await run(file, ['two_crops.x'], (stored) => {
      const x = stored['two_crops.x']!;
      const b = x.shape[0]! / 2;
      const loss = mul(add(koleoLoss(sliceAxis(x, 0, 0, b)), koleoLoss(sliceAxis(x, 0, b, 2 * b))), weight);
      return { loss, gx: grad(loss, [x])[0]! };
    });
    checkParity(
      file,
      'two_crops.weighted_loss',
      await step.read('loss'),
      file.floats('two_crops.weighted_loss'),
      value,
    );
    checkParity(file, 'two_crops.gx', await step.read('gx'), file.floats('two_crops.gx'), { ofMax: 1e-4 });
  });
});
