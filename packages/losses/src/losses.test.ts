import { probabilityTargets, wholeLogits } from '@franca/nn';
import { compile, constant, type Gpu, grad, mul, type Tensor, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dinoLoss, swapViews } from './dino';
import { ibotLoss } from './ibot';
import { koleoLoss } from './koleo';
import { totalLoss } from './total';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Values of a function without inputs, by path. */
async function evaluate(fn: () => TensorTree, ...paths: string[]): Promise<number[][]> {
  using step = await compile(gpu, fn);
  step.run();
  return Promise.all(paths.map(async (path) => [...(await step.read(path))]));
}
const matrix = (rows: readonly (readonly number[])[]): Tensor => constant(rows.flat(), [rows.length, rows[0]!.length]);

const teacher = [
  [0.150935, 0.224808, 0.624256],
  [0.829199, 0.000056, 0.170745],
  [0.00166, 0.997411, 0.000929],
  [0.392342, 0.010703, 0.596955],
];
const student = [
  [0.2, 0.1, -0.1],
  [0, 0.3, 0.1],
  [0.1, 0.1, 0.1],
  [-0.2, 0.2, 0.4],
];
const scaled = (by: number, plus = 0) => student.map((row) => row.map((value) => by * value + plus));

test('DINO: the worked example of two images and eight local crops', async () => {
  // four local rows per scaling are two local crops of two images
  const rows = [...student, ...scaled(1), ...scaled(0.5), ...scaled(-1), ...scaled(1, 0.1)];
  const [local, global] = await evaluate(
    () => dinoLoss([{ student: wholeLogits(mul(matrix(rows), 10)), targets: probabilityTargets(matrix(teacher)) }]),
    'local',
    'global',
  );
  const pairs = 18;
  // teacher given to six decimals
  expect((global![0]! * pairs) / 2).toBeCloseTo(2.2621751, 4);
  expect(local![0]! * pairs).toBeCloseTo(31.3837566, 3);
});

test('DINO without local crops', async () => {
  const [local, global] = await evaluate(
    () => dinoLoss([{ student: wholeLogits(mul(matrix(student), 10)), targets: probabilityTargets(matrix(teacher)) }]),
    'local',
    'global',
  );
  expect(local).toEqual([0]);
  expect((global![0]! * 3) / 2).toBeCloseTo(2.2621751, 4);
});

test('views are swapped, so that a student view meets the other view of the same image', async () => {
  const [rows] = await evaluate(() => swapViews(matrix([[1], [2], [3], [4]])), 'result');
  expect(rows).toEqual([3, 4, 1, 2]);
});

test('uniform predictions cost ln K per level, whatever the targets', async () => {
  const levels = () =>
    [2, 3].map((K) => ({
      student: wholeLogits(constant(new Float32Array(4 * K), [4, K])),
      targets: probabilityTargets(
        matrix(Array.from({ length: 4 }, (_, r) => Array.from({ length: K }, (_, k) => Number(k === r % K)))),
      ),
    }));
  const [global] = await evaluate(() => dinoLoss(levels()), 'global');
  expect((global![0]! * 3) / 2).toBeCloseTo(Math.log(2) + Math.log(3), 6);
  const [patches] = await evaluate(() => ibotLoss(levels(), constant([0.5, 0.5, 1, 0], [4]), 4), 'result');
  expect(patches![0]).toBeCloseTo((2 / 4) * (Math.log(2) + Math.log(3)), 6);
});

test('iBOT: rows of weight 0 change neither the loss nor a gradient', async () => {
  const build = (padding: number) => () => {
    const x = matrix([...student.slice(0, 3), [padding, -padding, padding]]);
    const loss = ibotLoss(
      [{ student: wholeLogits(x), targets: probabilityTargets(matrix(teacher)) }],
      constant([0.5, 0.5, 1, 0], [4]),
      4,
    );
    return { loss, gradient: grad(loss, [x])[0]! };
  };
  const [a, gradient] = await evaluate(build(0), 'loss', 'gradient');
  const [b] = await evaluate(build(300), 'loss');
  expect(b).toEqual(a);
  expect(gradient!.slice(9)).toEqual([0, 0, 0]);
});

describe('KoLeo', () => {
  test('the worked example', async () => {
    const rows = [
      [1, 0, 0],
      [0.8, 0.6, 0],
      [0, 1, 0],
      [0, 0.6, 0.8],
    ];
    const [value] = await evaluate(() => koleoLoss(matrix(rows)), 'result');
    expect(value![0]).toBeCloseTo(0.2848586, 6);
  });
  test('equal rows, and rows of zeros, stay finite with their gradients', async () => {
    for (const rows of [
      [
        [1, 2],
        [1, 2],
        [3, -1],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]) {
      const build = () => {
        const x = matrix(rows);
        const loss = koleoLoss(x);
        return { loss, gradient: grad(loss, [x])[0]! };
      };
      for (const values of await evaluate(build, 'loss', 'gradient')) expect(values.every(Number.isFinite)).toBe(true);
    }
  });
  test('a single row has no neighbour', async () => {
    await expect(evaluate(() => koleoLoss(matrix([[1, 2]])))).rejects.toThrow(/at least two rows/);
  });
});

test('logs show KoLeo and iBOT at half of what is optimised', async () => {
  const scalar = (value: number) => constant([value], []);
  const [optimised, koleo, ibot, logged] = await evaluate(
    () => totalLoss({ dino: { local: scalar(8), global: scalar(1) }, koleo: [scalar(2), scalar(4)], ibot: scalar(3) }),
    'optimised',
    'logged.koleo_loss',
    'logged.ibot_loss',
    'logged.total_loss',
  );
  expect(optimised![0]).toBeCloseTo(12.6, 5);
  expect(koleo![0]).toBeCloseTo(0.3, 6);
  expect(ibot![0]).toBeCloseTo(1.5, 6);
  expect(logged![0]).toBeCloseTo(10.8, 5);
});

test('rows that do not fit are refused', async () => {
  const levels = (rows: number) => [
    {
      student: wholeLogits(constant(new Float32Array(rows * 3), [rows, 3])),
      targets: probabilityTargets(matrix(teacher)),
    },
  ];
  await expect(evaluate(() => dinoLoss(levels(7)))).rejects.toThrow('7 student rows and 4 targets');
  await expect(evaluate(() => ibotLoss(levels(6), constant([1, 1, 1, 1, 1, 1], [6]), 2))).rejects.toThrow(
    '6 student rows, 4 targets and weights [6]',
  );
});

test('a weight that there is not is refused, one that is left out is the official one', async () => {
  const one = () => constant([1], []);
  const terms = () => ({ dino: { local: one(), global: one() }, koleo: [one(), one()] as const, ibot: one() });
  const wrong: object = { KoLeo: 1 };
  await expect(evaluate(() => totalLoss(terms(), wrong).optimised)).rejects.toThrow(/"KoLeo", it is called koleo/);
  // 2 dino + 2 koleo 0.1 + 3 ibot
  expect((await evaluate(() => totalLoss(terms(), { ibot: 3 }).optimised, 'result'))[0]![0]).toBeCloseTo(5.2, 5);
});
