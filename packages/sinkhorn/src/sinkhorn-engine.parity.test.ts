import { type Logits, targetProbabilities, wholeLogits } from '@franca/nn';
import { compile, div, type Gpu, type Spec, sliceAxis, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { centeringTargets, nextCenterOf } from './centering';
import { sinkhornTargets } from './sinkhorn';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });

/** Logits over a temperature that an input gives. */
const over = (logits: Tensor, temperature: Tensor): Logits => wholeLogits(div(logits, temperature));

describe('Sinkhorn-Knopp', () => {
  const file = parityFile('sinkhorn');
  const extreme = new Set(
    Object.keys(file.config.official_on_extreme_logits).map((name) => name.slice(0, name.indexOf('.'))),
  );
  /** Outputs are named `<case>.<implementation>.it<iterations>`, with `.<level>` where there are several heads. */
  const outputs = file.names.flatMap((name) => {
    const [, group, implementation, iterations, level = ''] = name.match(/^(\w+)\.(\w+)\.it(\d+)(\.\d+)?$/) ?? [];
    if (!group || (extreme.has(group) && implementation !== 'ref64')) return [];
    return [
      {
        name,
        logits: `${group}.logits${level}`,
        group,
        implementation: implementation!,
        iterations: Number(iterations),
      },
    ];
  });
  const cases = [...new Set(outputs.map(({ logits }) => logits))];

  test.each(cases)('%s: every implementation and number of iterations', async (logits) => {
    const own = outputs.filter((output) => output.logits === logits);
    const [B, K] = file.shape(logits) as [number, number];
    const masked = file.ints('padded.n_masked')[0]!;
    using step = await compile(
      gpu,
      (_, batch, { temperature }) =>
        own.map(({ implementation, iterations }) => {
          const options = implementation.endsWith('sliced') ? { iterations, valid: batch.valid } : { iterations };
          return targetProbabilities(sinkhornTargets(over(batch.logits, temperature), options));
        }),
      { batch: { logits: f32(B, K), valid: f32(B) }, knobs: { temperature: [] } },
    );
    const valid = Array.from({ length: B }, (_, s) => Number(s < masked));
    step.run({ logits: file.floats(logits), valid }, { temperature: file.config.temp });
    for (const [i, { name }] of own.entries()) {
      const expected = file.floats(name);
      const actual = await step.read(`${i}`);
      checkParity(file, name, actual.subarray(0, expected.length), expected, { absolute: 1e-5 });
    }
    expect(own.length).toBeGreaterThan(0);
  });
});

describe('softmax centering', () => {
  const file = parityFile('loss_centering');
  const {
    K,
    temps,
    center_momentum: momentum,
  } = file.config as { K: number; temps: number[]; center_momentum: number };

  test.each(['cls', 'patch'])('%s tokens: targets and centre at every step', async (tokens) => {
    let center: ArrayLike<number> = new Float32Array(K);
    for (const [s, temperature] of temps.entries()) {
      const name = (field: string) => `s${s}.${tokens}_${field}`;
      using step = await compile(
        gpu,
        (_, batch, { tau }) => {
          const teacher = over(batch.logits, tau);
          const options = { center: batch.center, temperature: tau };
          return {
            targets: targetProbabilities(centeringTargets(teacher, options)),
            next: nextCenterOf(teacher, options, { momentum }),
          };
        },
        { batch: { logits: f32(...file.shape(name('logits'))), center: f32(K) }, knobs: { tau: [] } },
      );
      checkParity(file, name('center_used'), center, file.floats(name('center_used')), { absolute: 1e-6 });
      step.run({ logits: file.floats(name('logits')), center }, { tau: temperature });
      checkParity(file, name('probs'), await step.read('targets'), file.floats(name('probs')), { absolute: 1e-6 });
      center = await step.read('next');
    }
    checkParity(file, `final.${tokens}_center`, center, file.floats(`final.${tokens}_center`), { absolute: 1e-6 });
  });

  test('rows that are not valid do not move the centre', async () => {
    using step = await compile(
      gpu,
      (_, { logits, center, valid }) =>
        nextCenterOf(wholeLogits(sliceAxis(logits, 0, 0, 3)), { center, temperature: 1 }, { momentum: 0.5, valid }),
      { batch: { logits: f32(3, 2), center: f32(2), valid: f32(3) } },
    );
    step.run({ logits: [1, 2, 3, 6, 100, 100], center: [0, 8], valid: [1, 1, 0] });
    expect([...(await step.read('result'))]).toEqual([1, 6]);
  });
});
